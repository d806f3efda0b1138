import {leNet} from './leNet';
import {orderedStudy} from './study';

/**
 * The paper's convolutional network. One seed, and ten of its 50 epochs, take more than an hour on
 * two cores; after them the learning rate is so small (it has fallen twice) that little changes.
 */
export const orderedLeNet = orderedStudy({
  name: 'ordered-sgd-lenet',
  about: 'LeNet by SGD and by Ordered SGD, as Kawaguchi & Lu 2020 trained it',
  seeds: 1,
  epochs: 10,
  model: 'LeNet',
  errors: {from: 0, to: 0.03},
  make: leNet,
});
