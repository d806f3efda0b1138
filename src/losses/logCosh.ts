import {add, mul, softplus, sub, tanh} from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from '../types';
import {meanOfErrors} from './formula';

/**
 * Computes the logarithm of the error's hyperbolic cosine, on average over the features.
 *
 *     l = mean_d log cosh e = mean_d e + softplus(−2 e) − log 2,    e = yPred_d − yTrue_d
 *
 * About ½ e² for small errors and |e| − log 2 for large ones, like {@link huber} without a bend.
 * The second form above does not overflow. The name follows Keras; tfjs-layers calls it
 * `'logcosh'`.
 *
 * @returns a loss, `(float32[B, …, D], float32[B, …, D]) → float32[B, …]`.
 * @throws TypeError if the shapes differ by more than a trailing axis of 1 (when it is called).
 *
 * @example
 * logCosh()(tf.tensor2d([[0]]), tf.tensor2d([[1]])).dataSync();   // Float32Array [0.433781]
 */
export function logCosh(): PerSampleLoss {
  return meanOfErrors('logCosh', (errors) => sub(add(errors, softplus(mul(errors, -2))), Math.LN2), tanh);
}
