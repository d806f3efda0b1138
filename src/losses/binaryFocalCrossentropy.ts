import {add, mul, neg, sigmoid, sub, type Tensor} from '@tensorflow/tfjs-core';
import {checkBoolean, checkClosedUnitInterval, checkNotNegative, checkOptionNames} from '../checks';
import type {PerSampleLoss} from '../types';
import {crossentropies, crossentropySlopes} from './binaryCrossentropy';
import {meanOfLabels} from './binaryLabels';
import {focused, focusedSlopes} from './logProbabilities';

const NAME = 'binaryFocalCrossentropy';

export interface BinaryFocalCrossentropyOptions {
  /** Whether `yPred` holds logits instead of probabilities. Default false, as in Keras. */
  fromLogits?: boolean;
  /** Focusing parameter γ ≥ 0: how strongly well-classified labels are down-weighted. Default 2. */
  gamma?: number;
  /** Weight of positives, in [0, 1]; negatives weigh 1 − alpha. Default: both weigh 1. */
  alpha?: number;
  /** Label to ignore, an integer such as 255 or −1. Default: none. */
  ignoreLabel?: number;
}

/**
 * Computes the binary focal loss, which down-weights well-classified labels.
 *
 *     l = mean_d −α_t · (1 − p_t)^γ · log p_t
 *     p_t = p for a positive, 1 − p for a negative;  α_t = α for a positive, 1 − α for a negative
 *
 * The RetinaNet loss, for data dominated by easy negatives. A soft alternative to mining: it
 * re-weights every row instead of selecting some. `gamma: 0` is the plain cross-entropy.
 *
 * As in Keras (`apply_class_balancing`), α is off by default; the paper uses 0.25. The mean covers
 * the labels that are not ignored, while detectors divide by the number of positives. Prefer
 * logits: in float32 the sigmoid of a value over 17 rounds to exactly 1. A label outside 0 … 1
 * throws or gives NaN, as in {@link binaryCrossentropy}.
 *
 * @param options  `fromLogits`, whether `yPred` holds logits (default false); `gamma`, γ ≥ 0
 *   (default 2); `alpha`, α in [0, 1] (default: no balancing); `ignoreLabel` (default: none).
 * @returns a loss, `(float32[B, …, D], float32[B, …, D]) → float32[B, …]`, in nats.
 * @throws RangeError if `gamma` is negative or not finite, `alpha` is not in [0, 1] or
 *   `ignoreLabel` is not an integer (when it is built), or if a label is not in [0, 1] (when it is
 *   called); TypeError if the shapes differ by more than a trailing axis of 1 (when it is called).
 *
 * @example
 * const loss = binaryFocalCrossentropy();
 * loss(tf.tensor2d([[1], [0]]), tf.tensor2d([[0.25], [0.25]])).dataSync();   // Float32Array [0.779791, 0.01798]
 *
 * @see Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, §3.2, equations 4 and 5
 *   (arXiv:1708.02002)
 */
export function binaryFocalCrossentropy(options: BinaryFocalCrossentropyOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['fromLogits', 'gamma', 'alpha', 'ignoreLabel']);
  const {fromLogits = false, gamma = 2, alpha} = options;
  checkBoolean(NAME, 'fromLogits', fromLogits);
  checkNotNegative(NAME, 'gamma', gamma);
  if (alpha !== undefined) checkClosedUnitInterval(NAME, 'alpha', alpha);
  const partsOf = (truth: Tensor, predicted: Tensor) => {
    const yes = fromLogits ? sigmoid(predicted) : predicted;
    const no = fromLogits ? sigmoid(neg(predicted)) : sub(1, predicted); // 1 − sigmoid is 0 past 17
    const missing = add(mul(truth, no), mul(sub(1, truth), yes));
    return {yes, no, missing, losses: crossentropies(truth, predicted, fromLogits)};
  };
  const balanced = (x: Tensor, truth: Tensor) =>
    alpha === undefined ? x : mul(x, add(mul(truth, 2 * alpha - 1), 1 - alpha));
  return meanOfLabels({
    name: NAME,
    fromLogits,
    ignoreLabel: options.ignoreLabel,
    losses(truth, predicted) {
      const {missing, losses} = partsOf(truth, predicted);
      return balanced(focused(losses, missing, gamma), truth);
    },
    slopes(truth, predicted) {
      const {yes, no, missing, losses} = partsOf(truth, predicted);
      const turned = sub(1, mul(truth, 2));
      const missingSlopes = fromLogits ? mul(turned, mul(yes, no)) : turned;
      const slopes = crossentropySlopes(truth, predicted, fromLogits);
      return balanced(focusedSlopes(losses, slopes, missing, missingSlopes, gamma), truth);
    },
  });
}
