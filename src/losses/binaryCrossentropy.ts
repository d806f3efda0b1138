import {add, mul, sigmoid, softplus, sub, type Tensor} from '@tensorflow/tfjs-core';
import {checkBoolean, checkOptionNames, checkUnitInterval} from '../checks';
import type {PerSampleLoss} from '../types';
import {meanOfLabels} from './binaryLabels';
import {logOf, throughLog} from './logProbabilities';

const NAME = 'binaryCrossentropy';

export interface BinaryCrossentropyOptions {
  /** Whether `yPred` holds logits instead of probabilities. Default false, as in Keras. */
  fromLogits?: boolean;
  /** Fraction by which labels move towards ½, in [0, 1). Default 0. */
  labelSmoothing?: number;
  /** Label to ignore, an integer such as 255 or −1. Default: none. */
  ignoreLabel?: number;
}

/**
 * Computes the binary cross-entropy of independent labels.
 *
 *     l = mean_d −(y_d · log p_d + (1 − y_d) · log(1 − p_d)),    p = sigmoid(yPred) from logits
 *
 * The mean covers the labels of an example that are not ignored, as in Keras. From probabilities
 * the gradient is correct down to p = 1e-30 (tfjs clips at 1e-7). But the sigmoid of a value over
 * 17 rounds to exactly 1, and a confident false positive then has no gradient. Logits keep it.
 *
 * A label outside 0 … 1 throws in development on backends whose tensors live in main memory. In
 * production mode and on GPUs its loss is NaN, and the trainers skip and count the row.
 *
 * @param options  `fromLogits`, whether `yPred` holds logits (default false); `labelSmoothing`, s
 *   in [0, 1) for `y ← (1 − s) · y + s / 2` (default 0); `ignoreLabel`, a label that no mean
 *   counts; an entry with no other label is never selected (default: none).
 * @returns a loss, `(float32[B, …, D], float32[B, …, D]) → float32[B, …]`, in nats.
 * @throws RangeError if `labelSmoothing` is not in [0, 1) or `ignoreLabel` is not an integer (when
 *   it is built), or if a label is not in [0, 1] (when it is called); TypeError if the shapes
 *   differ by more than a trailing axis of 1 (when it is called).
 *
 * @example
 * const loss = binaryCrossentropy();
 * loss(tf.tensor2d([[1], [0]]), tf.tensor2d([[0.25], [0.25]])).dataSync();   // Float32Array [1.386294, 0.287682]
 */
export function binaryCrossentropy(options: BinaryCrossentropyOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['fromLogits', 'labelSmoothing', 'ignoreLabel']);
  const {fromLogits = false, labelSmoothing = 0} = options;
  checkBoolean(NAME, 'fromLogits', fromLogits);
  checkUnitInterval(NAME, 'labelSmoothing', labelSmoothing);
  const smoothed = (truth: Tensor) =>
    labelSmoothing === 0 ? truth : add(mul(truth, 1 - labelSmoothing), labelSmoothing / 2);
  return meanOfLabels({
    name: NAME,
    fromLogits,
    ignoreLabel: options.ignoreLabel,
    losses: (truth, predicted) => crossentropies(smoothed(truth), predicted, fromLogits),
    slopes: (truth, predicted) => crossentropySlopes(smoothed(truth), predicted, fromLogits),
  });
}

/** Computes the cross-entropy of each label from its probability or its logit. */
export function crossentropies(target: Tensor, predicted: Tensor, fromLogits: boolean): Tensor {
  // With logits, no logarithm of a rounded probability is involved.
  if (fromLogits) return sub(softplus(predicted), mul(predicted, target));
  const yes = mul(target, logOf(predicted));
  const no = mul(sub(target, 1), logOf(sub(1, predicted)));
  return sub(no, yes);
}

/** The derivative of {@link crossentropies} with respect to the prediction. */
export function crossentropySlopes(target: Tensor, predicted: Tensor, fromLogits: boolean): Tensor {
  if (fromLogits) return sub(sigmoid(predicted), target);
  return sub(throughLog(sub(1, target), sub(1, predicted)), throughLog(target, predicted));
}
