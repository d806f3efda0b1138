import {logisticRegression} from './logisticRegression';
import {orderedStudy} from './study';

/** The smallest model of the paper. */
export const orderedSgd = orderedStudy({
  name: 'ordered-sgd',
  about: 'logistic regression by SGD and by Ordered SGD, as Kawaguchi & Lu 2020 trained it',
  seeds: 10,
  epochs: 50,
  model: 'logistic regression',
  errors: {from: 0.07, to: 0.1},
  make: logisticRegression,
});
