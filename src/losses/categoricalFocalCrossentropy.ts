import {exp, mul, sub, sum, type Tensor} from '@tensorflow/tfjs-core';
import {checkClosedUnitInterval, checkNotNegative, checkOptionNames} from '../checks';
import type {PerSampleLoss} from '../types';
import {checkClassWeights, weighted} from './categoricalCrossentropy';
import {closedForm, truthLike} from './formula';
import {focused, focusedSlopes, logProbabilitiesOf, throughSurprise} from './logProbabilities';

const NAME = 'categoricalFocalCrossentropy';

export interface CategoricalFocalCrossentropyOptions {
  /** Whether `yPred` are logits; probabilities otherwise. Default false, as in Keras. */
  fromLogits?: boolean;
  /** How quickly an example that is learned stops to count, a finite number ≥ 0. Default 2; 0 leaves the crossentropy as it is. */
  gamma?: number;
  /** What every class counts, in [0, 1], or one such number a class. Default 0.25, as in Keras. */
  alpha?: number | readonly number[];
}

/**
 * Measures how improbable the true class is, for one-hot labels, and counts what is nearly learned less.
 *
 *     l = −Σ_c α_c · (1 − p_c)^γ · y_c · log p_c,    p = softmax(yPred) from logits, yPred / Σ yPred otherwise
 *
 * The focal loss for classes that exclude one another. As in Keras α is 0.25 for every class unless it is given: a mere
 * factor, which makes the losses, and a threshold on them, a quarter of what the formula of the paper without α gives. Pass
 * `alpha: 1` to be rid of it, or one number a class to balance them.
 *
 * @param options  `fromLogits`, whether `yPred` are logits (default false); `gamma`, γ ≥ 0 (default 2); `alpha`, α in
 *   [0, 1], one number or `C` of them (default 0.25).
 * @returns a loss, `(float32[B, …, C], float32[B, …, C]) → float32[B, …]`, in nats.
 * @throws RangeError if `gamma` is negative or not finite or an `alpha` is not in [0, 1] (when it is built); TypeError if
 *   the shapes differ, as they do for integer labels, or if there is not one `alpha` for each class (when it is called).
 *
 * @example
 * const loss = categoricalFocalCrossentropy({alpha: 1});
 * loss(tf.tensor2d([[0, 1]]), tf.tensor2d([[0.75, 0.25]])).dataSync();   // Float32Array [0.779791]
 *
 * @see Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, §3.2, equations 4 and 5 (arXiv:1708.02002)
 */
export function categoricalFocalCrossentropy(options: CategoricalFocalCrossentropyOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['fromLogits', 'gamma', 'alpha']);
  const {fromLogits = false, gamma = 2, alpha = 0.25} = options;
  checkNotNegative(NAME, 'gamma', gamma);
  for (const share of typeof alpha === 'object' ? alpha : [alpha]) checkClosedUnitInterval(NAME, 'alpha', share);
  const [ofAll, ofEach] = typeof alpha === 'object' ? [1, [...alpha]] : [alpha, undefined];
  const partsOf = (yTrue: Tensor, yPred: Tensor) => {
    checkClassWeights(NAME, yPred, ofEach, 'alpha');
    const target = weighted(truthLike(NAME, yTrue, yPred, 'For integer labels pass tf.oneHot(labels, C).'), ofEach);
    const logs = logProbabilitiesOf(yPred, fromLogits);
    return {target, logs, missing: sub(1, exp(logs))};
  };
  return closedForm(
    NAME,
    (yTrue, yPred) => {
      const {target, logs, missing} = partsOf(yTrue, yPred);
      return mul(sum(mul(target, focused(logs, missing, gamma)), -1), -ofAll);
    },
    (dl, yTrue, yPred) => {
      const {target, logs, missing} = partsOf(yTrue, yPred);
      const slopes = focusedSlopes(logs, 1, missing, sub(missing, 1), gamma);
      return throughSurprise(mul(mul(mul(dl, ofAll), target), slopes), yPred, fromLogits);
    },
  );
}
