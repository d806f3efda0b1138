import {add, mean, mul, sigmoid, softplus, sub, type Tensor} from '@tensorflow/tfjs-core';
import {checkOptionNames, checkUnitInterval} from '../checks';
import type {PerSampleLoss} from '../types';
import {closedForm, matched, ofLabels, perFeature} from './formula';
import {logOf, throughLog} from './logProbabilities';

const NAME = 'binaryCrossentropy';

export interface BinaryCrossentropyOptions {
  /** Whether `yPred` are logits; probabilities otherwise. Default false, as in Keras. */
  fromLogits?: boolean;
  /** How far the truth is drawn towards ½, in [0, 1). Default 0. */
  labelSmoothing?: number;
}

/**
 * Measures how improbable the truth of independent yes-or-no labels is.
 *
 *     l = mean_d −(y_d · log p_d + (1 − y_d) · log(1 − p_d)),    p = sigmoid(yPred) from logits
 *
 * The mean is over the labels of an example, as in Keras. On probabilities the gradient is right down to p = 1e-30
 * (tfjs clips at 1e-7); but a sigmoid over 17 rounds to exactly 1, and a confident false alarm then has no
 * gradient left: from logits every example keeps it.
 *
 * @param options  `fromLogits`, whether `yPred` are logits (default false); `labelSmoothing`, s in [0, 1) for
 *   `y ← (1 − s) · y + s / 2` (default 0).
 * @returns a loss, `(float32[B, …, D], float32[B, …, D]) → float32[B, …]`, in nats.
 * @throws RangeError if `labelSmoothing` is not in [0, 1) (when it is built); TypeError if the shapes differ by more
 *   than a trailing axis of 1 (when it is called).
 *
 * @example
 * const loss = binaryCrossentropy();
 * loss(tf.tensor2d([[1], [0]]), tf.tensor2d([[0.25], [0.25]])).dataSync();   // Float32Array [1.386294, 0.287682]
 */
export function binaryCrossentropy(options: BinaryCrossentropyOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['fromLogits', 'labelSmoothing']);
  const {fromLogits = false, labelSmoothing = 0} = options;
  checkUnitInterval(NAME, 'labelSmoothing', labelSmoothing);
  const smoothed = (yTrue: Tensor, yPred: Tensor) => {
    const {truth, predicted} = matched(NAME, yTrue, yPred);
    const target = labelSmoothing === 0 ? truth : add(mul(truth, 1 - labelSmoothing), labelSmoothing / 2);
    return [target, predicted, fromLogits] as const;
  };
  return ofLabels(
    closedForm(
      NAME,
      (yTrue, yPred) => mean(crossentropies(...smoothed(yTrue, yPred)), -1),
      (dl, yTrue, yPred) => {
        const slopes = crossentropySlopes(...smoothed(yTrue, yPred));
        return mul(perFeature(dl, slopes), slopes);
      },
    ),
    fromLogits,
  );
}

/** The crossentropy of each label from its probability, or from its logit. */
export function crossentropies(target: Tensor, predicted: Tensor, fromLogits: boolean): Tensor {
  // From logits no logarithm of a rounded probability is taken anywhere.
  if (fromLogits) return sub(softplus(predicted), mul(predicted, target));
  const yes = mul(target, logOf(predicted));
  const no = mul(sub(target, 1), logOf(sub(1, predicted)));
  return sub(no, yes);
}

/** The derivative of {@link crossentropies} by what is predicted. */
export function crossentropySlopes(target: Tensor, predicted: Tensor, fromLogits: boolean): Tensor {
  if (fromLogits) return sub(sigmoid(predicted), target);
  return sub(throughLog(sub(1, target), sub(1, predicted)), throughLog(target, predicted));
}
