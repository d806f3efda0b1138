import {
  any,
  cast,
  where as chooseEach,
  exp,
  expandDims,
  fill,
  logicalAnd,
  mul,
  notEqual,
  reshape,
  slice,
  sub,
  sum,
  type Tensor,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {checkBoolean, checkClosedUnitInterval, checkInteger, checkNotNegative, checkOptionNames} from '../checks';
import {offTape} from '../engine';
import type {PerSampleLoss} from '../types';
import {checkClassWeights, weighted} from './categoricalCrossentropy';
import {asFloat, closedForm, ofClasses, truthLike} from './formula';
import {focused, focusedSlopes, logProbabilitiesOf, throughSurprise} from './logProbabilities';

const NAME = 'categoricalFocalCrossentropy';

export interface CategoricalFocalCrossentropyOptions {
  /** Whether `yPred` holds logits instead of probabilities. Default false, as in Keras. */
  fromLogits?: boolean;
  /** Focusing parameter γ ≥ 0: how strongly well-classified rows are down-weighted. Default 2. */
  gamma?: number;
  /** Weight of every class, or one weight per class, in [0, 1]. Default 0.25, as in Keras. */
  alpha?: number | readonly number[];
  /**
   * Label to ignore, an integer; matched by the row that `tf.oneHot` makes of it. Default: none.
   */
  ignoreLabel?: number;
}

/**
 * Computes the categorical focal loss, which down-weights well-classified rows.
 *
 *     l = −Σ_c α_c · (1 − p_c)^γ · y_c · log p_c
 *     p = softmax(yPred) from logits, yPred / Σ yPred otherwise
 *
 * The focal loss for mutually exclusive classes. `gamma: 0` is the weighted cross-entropy.
 *
 * As in Keras α is 0.25 for every class by default. This constant factor makes the losses, and any
 * threshold on them, a quarter of the paper's formula without α. Pass `alpha: 1` to remove it, or
 * one number per class to balance them.
 *
 * An `ignoreLabel` outside 0 … C−1, such as 255, matches rows filled with it and rows of zeros,
 * which `tf.oneHot` makes of it. Otherwise it matches the rows of that class.
 *
 * @param options  `fromLogits`, whether `yPred` holds logits (default false); `gamma`, γ ≥ 0
 *   (default 2); `alpha`, α in [0, 1], one number or `C` of them (default 0.25); `ignoreLabel`, a
 *   label whose rows have loss 0, are never selected and count in no mean (default: none).
 * @returns a loss, `(float32[B, …, C], float32[B, …, C]) → float32[B, …]`, in nats.
 * @throws RangeError if `gamma` is negative or not finite, an `alpha` is not in [0, 1] or
 *   `ignoreLabel` is not an integer (when it is built); TypeError if the shapes differ, as they do
 *   for integer labels, or if there is not one `alpha` for each class (when it is called).
 *
 * @example
 * const loss = categoricalFocalCrossentropy({alpha: 1});
 * loss(tf.tensor2d([[0, 1]]), tf.tensor2d([[0.75, 0.25]])).dataSync();   // Float32Array [0.779791]
 *
 * @see Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, §3.2, equations 4 and 5
 *   (arXiv:1708.02002)
 */
export function categoricalFocalCrossentropy(options: CategoricalFocalCrossentropyOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['fromLogits', 'gamma', 'alpha', 'ignoreLabel']);
  const {fromLogits = false, gamma = 2, alpha = 0.25, ignoreLabel} = options;
  checkBoolean(NAME, 'fromLogits', fromLogits);
  checkNotNegative(NAME, 'gamma', gamma);
  for (const share of typeof alpha === 'object' ? alpha : [alpha]) checkClosedUnitInterval(NAME, 'alpha', share);
  if (ignoreLabel !== undefined) checkInteger(NAME, 'ignoreLabel', ignoreLabel);
  const [ofAll, ofEach] = typeof alpha === 'object' ? [1, [...alpha]] : [alpha, undefined];
  const partsOf = (yTrue: Tensor, yPred: Tensor) => {
    checkClassWeights(NAME, yPred, ofEach, 'alpha');
    const truth = truthLike(NAME, yTrue, yPred, 'For integer labels pass tf.oneHot(labels, C).');
    const counted = ignoreLabel === undefined ? undefined : offTape(() => countedRows(truth, ignoreLabel));
    // Replace ignored predictions, because 0 times an infinite gradient would be NaN.
    const predicted = counted ? chooseEach(expandDims(counted, -1), yPred, fill(yPred.shape, 0.5)) : yPred;
    const logs = logProbabilitiesOf(predicted, fromLogits);
    return {target: weighted(truth, ofEach), counted, predicted, logs, missing: sub(1, exp(logs))};
  };
  const loss = closedForm(
    NAME,
    (yTrue, yPred) => {
      const {target, counted, logs, missing} = partsOf(yTrue, yPred);
      const losses = mul(sum(mul(target, focused(logs, missing, gamma)), -1), -ofAll);
      return counted ? chooseEach(counted, losses, zerosLike(losses)) : losses;
    },
    (dl, yTrue, yPred) => {
      const {target, counted, predicted, logs, missing} = partsOf(yTrue, yPred);
      const slopes = focusedSlopes(logs, 1, missing, sub(missing, 1), gamma);
      const gradient = throughSurprise(mul(mul(mul(dl, ofAll), target), slopes), predicted, fromLogits);
      return counted ? chooseEach(expandDims(counted, -1), gradient, zerosLike(gradient)) : gradient;
    },
  );
  ofClasses(loss, fromLogits);
  if (ignoreLabel !== undefined) {
    loss.valid = (yTrue) => tidy(() => cast(countedRows(asFloat(yTrue), ignoreLabel), 'float32'));
  }
  return loss;
}

/**
 * Mask of the rows that are not ignored, `bool[B, …]`. Off the tape: comparisons lack a gradient.
 */
function countedRows(oneHot: Tensor, ignoreLabel: number): Tensor {
  return offTape(() => rowsOfOthers(oneHot, ignoreLabel));
}

function rowsOfOthers(oneHot: Tensor, ignoreLabel: number): Tensor {
  const classes = oneHot.shape.at(-1) as number;
  if (ignoreLabel < 0 || ignoreLabel >= classes) {
    return any(logicalAnd(notEqual(oneHot, 0), notEqual(oneHot, ignoreLabel)), -1);
  }
  const begin = oneHot.shape.map((_, axis) => (axis === oneHot.rank - 1 ? ignoreLabel : 0));
  const size = oneHot.shape.map((length, axis) => (axis === oneHot.rank - 1 ? 1 : length));
  return notEqual(reshape(slice(oneHot, begin, size), oneHot.shape.slice(0, -1)), 1);
}
