import {add, div, log, mean, mul, sub} from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from '../types';
import {closedForm, matched, perFeature} from './formula';

/** What a rate of 0 is taken for: small enough to leave 1e-30 alone, large enough for the gradient y / rate to stay a float32. */
const LEAST_RATE = 1e-34;

/**
 * Measures how improbable counts are under predicted rates.
 *
 *     l = mean_d p_d − y_d · log p_d
 *
 * The negative logarithm of the Poisson probability without log y!, which no prediction changes: so it may be negative, and
 * a large count has a loss of another size than a small one even where its rate is right. Rates are positive, as from an
 * exponential or a softplus. A rate of 0 is taken for 1e-34; a negative one has the loss NaN, so that the trainers leave the
 * row out and count it.
 *
 * @returns a loss, `(float32[B, …, D], float32[B, …, D]) → float32[B, …]`, in nats.
 * @throws TypeError if the shapes differ by more than a trailing axis of 1 (when it is called).
 *
 * @example
 * poisson()(tf.tensor2d([[2], [0]]), tf.tensor2d([[1], [1]])).dataSync();   // Float32Array [1, 1]
 */
export function poisson(): PerSampleLoss {
  return closedForm(
    'poisson',
    (yTrue, yPred) => {
      const {truth, predicted} = matched('poisson', yTrue, yPred);
      return mean(sub(predicted, mul(truth, log(add(predicted, LEAST_RATE)))), -1);
    },
    (dl, yTrue, yPred) => {
      const {truth, predicted} = matched('poisson', yTrue, yPred);
      const each = perFeature(dl, predicted);
      // Not (1 − y / p) · dl: y / p may be infinite where dl is 0.
      return sub(each, div(mul(each, truth), add(predicted, LEAST_RATE)));
    },
  );
}
