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
import {asFloat, closedForm, truthLike} from './formula';
import {focused, focusedSlopes, logProbabilitiesOf, throughSurprise} from './logProbabilities';

const NAME = 'categoricalFocalCrossentropy';

export interface CategoricalFocalCrossentropyOptions {
  /** Whether `yPred` are logits; probabilities otherwise. Default false, as in Keras. */
  fromLogits?: boolean;
  /** How quickly an example that is learned stops to count, a finite number ≥ 0. Default 2; 0 leaves the crossentropy as it is. */
  gamma?: number;
  /** What every class counts, in [0, 1], or one such number a class. Default 0.25, as in Keras. */
  alpha?: number | readonly number[];
  /** A label that counts as no label, an integer: the rows that `tf.oneHot` makes of it. Default: none. */
  ignoreLabel?: number;
}

/**
 * Measures how improbable the true class is, for one-hot labels, and counts what is nearly learned less.
 *
 *     l = −Σ_c α_c · (1 − p_c)^γ · y_c · log p_c,    p = softmax(yPred) from logits, yPred / Σ yPred otherwise
 *
 * The focal loss for classes that exclude one another. As in Keras α is 0.25 for every class unless it is given: a mere
 * factor, which makes the losses, and a threshold on them, a quarter of what the formula of the paper without α gives. Pass
 * `alpha: 1` to be rid of it, or one number a class to balance them. For an `ignoreLabel` outside 0 … C−1, such as 255,
 * rows of zeros are ignored, which `tf.oneHot` makes of it, and rows filled with it; else the rows of that class.
 *
 * @param options  `fromLogits`, whether `yPred` are logits (default false); `gamma`, γ ≥ 0 (default 2); `alpha`, α in
 *   [0, 1], one number or `C` of them (default 0.25); `ignoreLabel`, a label that counts as no label: loss 0, never selected,
 *   in no mean (default: none).
 * @returns a loss, `(float32[B, …, C], float32[B, …, C]) → float32[B, …]`, in nats.
 * @throws RangeError if `gamma` is negative or not finite, an `alpha` is not in [0, 1] or `ignoreLabel` no integer (when it
 *   is built); TypeError if the shapes differ, as they do for integer labels, or if there is not one `alpha` for each class (when it is called).
 *
 * @example
 * const loss = categoricalFocalCrossentropy({alpha: 1});
 * loss(tf.tensor2d([[0, 1]]), tf.tensor2d([[0.75, 0.25]])).dataSync();   // Float32Array [0.779791]
 *
 * @see Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, §3.2, equations 4 and 5 (arXiv:1708.02002)
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
    // What is ignored must reach no gradient, not even times 0.
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
  if (ignoreLabel !== undefined) {
    loss.valid = (yTrue) => tidy(() => cast(countedRows(asFloat(yTrue), ignoreLabel), 'float32'));
  }
  return loss;
}

/** Marks the one-hot rows of other labels, `bool[B, …]`. Not on a tape: tfjs has no gradient for a comparison. */
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
