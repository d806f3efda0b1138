import {add, exp, getBackend, log, logSoftmax, maximum, mul, step, sub, sum, type Tensor} from '@tensorflow/tfjs-core';

/**
 * The smallest normal float32. Where tfjs clips at 1e-7, and so gives an example with p < 1e-7 a gradient of exactly 0,
 * this only keeps log(0) finite: 1 / p stays right down to p = 1e-38.
 */
export const TINY = 2 ** -126;

/** Natural logarithm of probabilities, never below log(2⁻¹²⁶) = −87.3; NaN where they are NaN. */
export function logOf(probabilities: Tensor): Tensor {
  const positive = maximum(probabilities, TINY);
  const logarithm = log(positive);
  // A GPU need not give NaN for the logarithm of NaN, which would make a wrong row an easy one.
  return getBackend() === 'webgpu' ? add(logarithm, mul(positive, 0)) : logarithm;
}

/**
 * Log-probabilities of classes, `float32[B, …, C]`: `x − log Σ eˣ` from logits; `log p − log Σ p`
 * from probabilities, which need not sum to 1, as in Keras.
 */
export function logProbabilitiesOf(yPred: Tensor, fromLogits = false): Tensor {
  if (fromLogits) return logSoftmax(yPred);
  const total = sum(yPred, -1, true);
  // A row of zeros has no sum to divide by: leave it as it is. (A comparison would have no gradient; a step has, 0.)
  const divisor = add(total, sub(1, step(total)));
  return sub(logOf(yPred), log(divisor));
}

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
