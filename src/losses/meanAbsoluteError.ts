import {mul, sign, type Tensor} from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from '../types';
import {meanOfErrors} from './formula';

/**
 * Measures the distance to the truth, on average over the features.
 *
 *     l = mean_d |yPred_d − yTrue_d|
 *
 * For targets with outliers. Its gradient has the same size for every error, 1 / D, however small that is, so that training
 * does not settle at a fixed learning rate: {@link huber} does.
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
 * `|x|`, whose gradient at 0 is 0: that of `tf.abs` is −1 there, and would move a prediction that
 * is right.
 */
function magnitude(x: Tensor): Tensor {
  return mul(x, sign(x));
}
