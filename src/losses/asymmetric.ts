import {add, mul, neg, onesLike, relu, sigmoid, softplus, step, sub, type Tensor} from '@tensorflow/tfjs-core';
import {checkBoolean, checkNotNegative, checkOptionNames, checkUnitInterval} from '../checks';
import {offTape} from '../engine';
import type {PerSampleLoss} from '../types';
import {meanOfLabels} from './binaryLabels';
import {focused, focusedSlopes, logOf, power, throughLog} from './logProbabilities';

const NAME = 'asymmetric';

export interface AsymmetricOptions {
  /** Whether `yPred` holds logits instead of probabilities. Default false, as in Keras. */
  fromLogits?: boolean;
  /** Focusing parameter γ⁻ ≥ 0: how strongly easy negatives are down-weighted. Default 4. */
  gammaNegative?: number;
  /** Focusing parameter γ⁺ ≥ 0: how strongly easy positives are down-weighted. Default 1. */
  gammaPositive?: number;
  /** Probability up to which a negative has no loss, in [0, 1). Default 0.05. */
  clip?: number;
  /** Whether the gradient treats the focal weights as constants. Default false. */
  detach?: boolean;
  /** Label to ignore, an integer such as 255 or −1. Default: none. */
  ignoreLabel?: number;
}

/**
 * Computes the asymmetric loss of independent labels, which suppresses easy negatives.
 *
 *     l = mean_d −(y · log p + (1 − y) · log q) · m^(γ⁺ · y + γ⁻ · (1 − y)),
 *     m = 1 − y · p − (1 − y) · q,
 *     q = min(1 − p + clip, 1),    p = sigmoid(yPred) from logits
 *
 * For multi-label images: each has few positives, so most labels are negative. A negative with
 * p ≤ `clip` has loss and gradient 0. The mean covers the labels that are not ignored; the authors
 * sum over labels and batch. By default the gradient includes the focal weight. The authors' class
 * `AsymmetricLoss` treats the weight as a constant: pass `detach: true` for that.
 *
 * Prefer logits: in float32 the sigmoid of a value over 17 rounds to exactly 1. A label outside
 * 0 … 1 throws or gives NaN, as in {@link binaryCrossentropy}.
 *
 * @param options  `fromLogits` (default false); `gammaNegative` (default 4); `gammaPositive`
 *   (default 1); `clip` (default 0.05); `detach` (default false); `ignoreLabel` (default: none).
 * @returns a loss, `(float32[B, …, D], float32[B, …, D]) → float32[B, …]`, in nats.
 * @throws RangeError if a gamma is negative or not finite, `clip` is not in [0, 1) or `ignoreLabel`
 *   is not an integer (when it is built), or if a label is not in [0, 1] (when it is called);
 *   TypeError if the shapes differ by more than a trailing axis of 1 (when it is called).
 *
 * @example
 * const loss = asymmetric();
 * loss(tf.tensor2d([[1], [0], [0]]), tf.tensor2d([[0.25], [0.25], [0.05]])).dataSync();   // Float32Array [1.039721, 0.000357, 0]
 *
 * @see Ridnik et al., Asymmetric Loss, ICCV 2021, §2 (arXiv:2009.14119)
 */
export function asymmetric(options: AsymmetricOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, [
    ...['fromLogits', 'gammaNegative', 'gammaPositive', 'clip', 'detach', 'ignoreLabel'],
  ]);
  const {fromLogits = false, gammaNegative = 4, gammaPositive = 1, clip = 0.05, detach = false} = options;
  checkBoolean(NAME, 'fromLogits', fromLogits);
  checkBoolean(NAME, 'detach', detach);
  checkNotNegative(NAME, 'gammaNegative', gammaNegative);
  checkNotNegative(NAME, 'gammaPositive', gammaPositive);
  checkUnitInterval(NAME, 'clip', clip);
  const exponentsOf = (truth: Tensor) => add(mul(truth, gammaPositive - gammaNegative), gammaNegative);
  return meanOfLabels({
    name: NAME,
    fromLogits,
    ignoreLabel: options.ignoreLabel,
    losses(truth, predicted) {
      const {missing, surprises} = partsOf(truth, predicted, fromLogits, clip);
      const exponents = exponentsOf(truth);
      if (!detach) return focused(surprises, missing, exponents);
      return mul(
        surprises,
        offTape(() => power(missing, exponents)),
      );
    },
    slopes(truth, predicted) {
      const {missing, surprises, slopes, missingSlopes} = slopedPartsOf(truth, predicted, fromLogits, clip);
      const exponents = exponentsOf(truth);
      if (detach) return mul(slopes, power(missing, exponents));
      return focusedSlopes(surprises, slopes, missing, missingSlopes, exponents);
    },
  });
}

/** The negative log-likelihood of each label and the probability missing to 1. */
function partsOf(truth: Tensor, predicted: Tensor, fromLogits: boolean, clip: number) {
  const yes = fromLogits ? sigmoid(predicted) : predicted;
  const no = fromLogits ? sigmoid(neg(predicted)) : sub(1, predicted); // 1 − sigmoid is 0 past 17
  const untrue = sub(1, truth);
  // This order keeps the small remainder 1 − p in q when p is close to 1.
  const q = clip === 0 ? no : sub(add(no, clip), relu(sub(clip, yes)));
  const ofYes = fromLogits ? softplus(neg(predicted)) : neg(logOf(yes));
  const ofNo = fromLogits && clip === 0 ? softplus(predicted) : neg(logOf(q));
  return {
    ...{yes, no, q, untrue},
    missing: add(mul(truth, no), mul(untrue, relu(sub(yes, clip)))),
    surprises: add(mul(truth, ofYes), mul(untrue, ofNo)),
  };
}

/** Extends {@link partsOf} by the derivatives with respect to the prediction. */
function slopedPartsOf(truth: Tensor, predicted: Tensor, fromLogits: boolean, clip: number) {
  const {yes, no, q, untrue, missing, surprises} = partsOf(truth, predicted, fromLogits, clip);
  const rise = (of: Tensor) => (fromLogits ? mul(of, mul(yes, no)) : of);
  // At p = clip either choice is right: the gradient 0 meets a weight of 0.
  const isOver = sub(1, step(sub(clip, yes)));
  const ofYes = fromLogits ? neg(no) : neg(throughLog(onesLike(yes), yes));
  const ofNo = fromLogits && clip === 0 ? yes : rise(throughLog(isOver, q));
  return {
    ...{missing, surprises},
    slopes: add(mul(truth, ofYes), mul(untrue, ofNo)),
    missingSlopes: rise(sub(mul(untrue, step(sub(yes, clip))), truth)),
  };
}
