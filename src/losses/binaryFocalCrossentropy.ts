import {add, mul, neg, sigmoid, sub, type Tensor} from '@tensorflow/tfjs-core';
import {checkBoolean, checkClosedUnitInterval, checkNotNegative, checkOptionNames} from '../checks';
import type {PerSampleLoss} from '../types';
import {crossentropies, crossentropySlopes} from './binaryCrossentropy';
import {meanOfLabels} from './binaryLabels';
import {focused, focusedSlopes} from './logProbabilities';

const NAME = 'binaryFocalCrossentropy';

export interface BinaryFocalCrossentropyOptions {
  /** Whether `yPred` are logits; probabilities otherwise. Default false, as in Keras. */
  fromLogits?: boolean;
  /** How quickly an example that is learned stops to count, a finite number ≥ 0. Default 2; 0 leaves the crossentropy as it is. */
  gamma?: number;
  /** What a yes counts, in [0, 1]; a no counts 1 − alpha. Default: both count 1. */
  alpha?: number;
  /** A label that counts as no label, an integer such as 255 or −1. Default: none. */
  ignoreLabel?: number;
}

/**
 * Measures how improbable the truth of independent yes-or-no labels is, and counts what is nearly learned less.
 *
 *     l = mean_d −α_t · (1 − p_t)^γ · log p_t,    p_t = p for a yes, 1 − p for a no;  α_t = α for a yes, 1 − α for a no
 *
 * The loss of RetinaNet, for many easy negatives: mining by another name, as it weighs all rows where a selector picks some.
 * As in Keras α is off unless it is given (there `apply_class_balancing`, and 0.25 in the paper), and the mean is over the
 * labels that are not ignored: detectors divide by the number of positives instead. Prefer logits: a sigmoid over 17 rounds
 * to exactly 1. A label outside 0 … 1 is an error or gives NaN, as in {@link binaryCrossentropy}.
 *
 * @param options  `fromLogits`, whether `yPred` are logits (default false); `gamma`, γ ≥ 0 (default 2); `alpha`, α in [0, 1]
 *   (default: no balancing); `ignoreLabel`, a label that counts as no label (default: none).
 * @returns a loss, `(float32[B, …, D], float32[B, …, D]) → float32[B, …]`, in nats.
 * @throws RangeError if `gamma` is negative or not finite, `alpha` is not in [0, 1] or `ignoreLabel` no integer (when it is
 *   built), or if a label is not in [0, 1] (when it is called); TypeError if the shapes differ by more than a trailing axis
 *   of 1 (when it is called).
 *
 * @example
 * const loss = binaryFocalCrossentropy();
 * loss(tf.tensor2d([[1], [0]]), tf.tensor2d([[0.25], [0.25]])).dataSync();   // Float32Array [0.779791, 0.01798]
 *
 * @see Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, §3.2, equations 4 and 5 (arXiv:1708.02002)
 */
export function binaryFocalCrossentropy(options: BinaryFocalCrossentropyOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['fromLogits', 'gamma', 'alpha', 'ignoreLabel']);
  const {fromLogits = false, gamma = 2, alpha} = options;
  checkBoolean(NAME, 'fromLogits', fromLogits);
  checkNotNegative(NAME, 'gamma', gamma);
  if (alpha !== undefined) checkClosedUnitInterval(NAME, 'alpha', alpha);
  const partsOf = (truth: Tensor, predicted: Tensor) => {
    const yes = fromLogits ? sigmoid(predicted) : predicted;
    const no = fromLogits ? sigmoid(neg(predicted)) : sub(1, predicted); // 1 − sigmoid would be 0 from 17 on
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
