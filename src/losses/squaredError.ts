import {mul, square, sum, type Tensor} from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from '../types';
import {closedForm, errorsOf, meanOfErrors} from './formula';

/**
 * Computes the mean squared error over the features.
 *
 *     l = mean_d (yPred_d − yTrue_d)²
 *
 * @returns a loss, `(float32[B, …, D], float32[B, …, D]) → float32[B, …]`, in squared units of the
 *   target.
 * @throws TypeError if the shapes differ by more than a trailing axis of 1 (when it is called).
 *
 * @example
 * meanSquaredError()(tf.tensor2d([[0, 1]]), tf.tensor2d([[2, 1]])).dataSync();   // Float32Array [2]
 */
export function meanSquaredError(): PerSampleLoss {
  return meanOfErrors('meanSquaredError', square, (errors) => errors, 2);
}

/**
 * Computes half the squared error, summed over the features.
 *
 *     l = ½ Σ_d (yPred_d − yTrue_d)²
 *
 * The loss of the reference experiment. Its gradient with respect to the prediction is
 * `yPred − yTrue`, without a factor.
 *
 * @returns a loss, `(float32[B, …, D], float32[B, …, D]) → float32[B, …]`, in squared units of the
 *   target.
 * @throws TypeError if the shapes differ by more than a trailing axis of 1 (when it is called).
 *
 * @example
 * halfSquaredError()(tf.tensor2d([[0, 1]]), tf.tensor2d([[2, 1]])).dataSync();   // Float32Array [2]
 */
export function halfSquaredError(): PerSampleLoss {
  const errors = (yTrue: Tensor, yPred: Tensor) => errorsOf('halfSquaredError', yTrue, yPred);
  return closedForm(
    'halfSquaredError',
    (yTrue, yPred) => mul(sum(square(errors(yTrue, yPred)), -1), 0.5),
    (dl, yTrue, yPred) => mul(dl, errors(yTrue, yPred)),
  );
}
