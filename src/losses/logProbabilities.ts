import {
  add,
  where as chooseEach,
  div,
  equal,
  exp,
  getBackend,
  log,
  max,
  maximum,
  mul,
  neg,
  ones,
  relu,
  softmax,
  square,
  step,
  sub,
  sum,
  type Tensor,
} from '@tensorflow/tfjs-core';
import {withGradient} from './formula';

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

/** What clipped probabilities are divided by. */
const HUGE = 2 ** 127;

/**
 * The gradient by `p` of what has the gradient `d` by `logOf(p)`: `d / p`, and next to 0 if `p` is
 * clipped.
 *
 * By arithmetic: on wasm a comparison and a choice take several times as long for a large tensor.
 */
export function throughLog(d: Tensor, p: Tensor): Tensor {
  const isClipped = step(sub(TINY, p));
  return div(d, add(p, mul(isClipped, HUGE)));
}

/**
 * Log-probabilities of classes, `float32[B, …, C]`: `x − log Σ eˣ` from logits; `log (p / Σ p)`
 * from probabilities, which need not sum to 1, as in Keras. A row of zeros has the logarithm of TINY.
 *
 * With a gradient of its own: that of a division squares the sum, which may be too small for it.
 */
export function logProbabilitiesOf(yPred: Tensor, fromLogits = false): Tensor {
  return withGradient(yPred, fromLogits ? logSoftmax : logShares, (dy, x) => throughSurprise(neg(dy), x, fromLogits));
}

function logSoftmax(logits: Tensor): Tensor {
  const shifted = sub(logits, max(logits, -1, true));
  return sub(shifted, log(sum(exp(shifted), -1, true)));
}

function logShares(probabilities: Tensor): Tensor {
  return logOf(div(probabilities, add(sum(probabilities, -1, true), TINY)));
}

/** The gradient of `−Σ_c t_c · log p_c` by the logits of a softmax `p`. */
export function surpriseOfSoftmax(targets: Tensor, p: Tensor): Tensor {
  return sub(mul(sum(targets, -1, true), p), targets);
}

/** The gradient by `yPred` of `Σ d · −log p`, with `log p` as {@link logProbabilitiesOf} has it. */
export function throughSurprise(d: Tensor, yPred: Tensor, fromLogits: boolean): Tensor {
  const ofRows = sum(d, -1, true);
  if (fromLogits) return sub(mul(softmax(yPred), ofRows), d);
  const totals = sum(yPred, -1, true);
  // A row of zeros has no sum to divide by: leave it as it is.
  const divisors = chooseEach(equal(totals, 0), ones(totals.shape), totals);
  return sub(div(ofRows, divisors), throughLog(d, yPred));
}

/**
 * Multiplies losses by `missing^γ`, with `missing` the probability that is not the truth's, and γ
 * one number or one for each loss.
 */
export function focused(losses: Tensor, missing: Tensor, gamma: number | Tensor): Tensor {
  return gamma === 0 ? losses : mul(losses, power(missing, gamma));
}

/** The derivative of {@link focused} from those of the losses and of `missing`. */
export function focusedSlopes<T extends Tensor | number>(
  losses: Tensor,
  slopes: T,
  missing: Tensor,
  missingSlopes: Tensor,
  gamma: number | Tensor,
): Tensor | T {
  if (gamma === 0) return slopes;
  const ofPower = throughLog(mul(mul(losses, missingSlopes), gamma), missing);
  return mul(power(missing, gamma), add(slopes, ofPower));
}

/**
 * `missing^γ`, whose gradient is 0 where an example is learned completely: that of `tf.pow` is NaN
 * there for γ < 1.
 */
export function power(missing: Tensor, gamma: number | Tensor): Tensor {
  if (gamma === 2) return square(relu(missing));
  return mul(exp(mul(logOf(missing), gamma)), step(missing));
}
