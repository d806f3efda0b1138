import {mul, sign, type Tensor} from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from '../types';
import {meanOfErrors} from './formula';

/**
 * Computes the mean absolute error over the features.
 *
 *     l = mean_d |yPred_d − yTrue_d|
 *
 * For targets with outliers. The gradient of every error has size 1 / D, however small the error,
 * so training does not settle at a fixed learning rate; with {@link huber} it does.
 *
 * @returns a loss, `(float32[B, …, D], float32[B, …, D]) → float32[B, …]`, in units of the target.
 * @throws TypeError if the shapes differ by more than a trailing axis of 1 (when it is called).
 *
 * @example
 * meanAbsoluteError()(tf.tensor2d([[0, 1]]), tf.tensor2d([[2, 1]])).dataSync();   // Float32Array [1]
 */
export function meanAbsoluteError(): PerSampleLoss {
  return meanOfErrors('meanAbsoluteError', magnitude, sign);
}

/**
 * Computes `|x|` with gradient 0 at 0; `tf.abs` has −1 there and would move an exact prediction.
 */
function magnitude(x: Tensor): Tensor {
  return mul(x, sign(x));
}
