import {add, div, log, mean, mul, sub} from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from '../types';
import {closedForm, matched, perFeature} from './formula';

/** Added to rates: too small to alter 1e-30, large enough that y / rate stays a finite float32. */
const LEAST_RATE = 1e-34;

/**
 * Computes the Poisson negative log-likelihood, without its constant term.
 *
 *     l = mean_d p_d − y_d · log p_d
 *
 * The constant log y! is left out, because no prediction changes it. The loss may thus be negative,
 * and its size depends on the count even if the rate is exact.
 *
 * Rates must be positive, for example from an exponential or a softplus. A rate of 0 counts as
 * 1e-34. A negative rate has loss NaN, and the trainers skip and count the row.
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
      // Not (1 − y / p) · dl: y / p may be infinite when dl is 0.
      return sub(each, div(mul(each, truth), add(predicted, LEAST_RATE)));
    },
  );
}
