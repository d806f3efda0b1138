import {exp, mul, step, type Tensor} from '@tensorflow/tfjs-core';
import {logOf} from './logProbabilities';

/**
 * Multiplies losses by `missing^γ`, with `missing` the probability that the truth was not given.
 *
 * The gradient of `tf.pow` is NaN at 0 for γ < 1, where an example is learned completely; this one is 0.
 */
export function focused(losses: Tensor, missing: Tensor, gamma: number): Tensor {
  if (gamma === 0) return losses;
  const power = mul(exp(mul(logOf(missing), gamma)), step(missing));
  return mul(losses, power);
}
