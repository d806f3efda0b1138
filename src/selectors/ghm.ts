import {
  abs,
  add,
  cast,
  where as chooseEach,
  div,
  equal,
  expandDims,
  floor,
  greater,
  logicalAnd,
  maximum,
  minimum,
  mul,
  range,
  reshape,
  sqrt,
  square,
  sub,
  sum,
  Tensor,
  type Tensor1D,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {
  checkBoolean,
  checkCount,
  checkFinitePositive,
  checkFloat32Positive,
  checkOptionNames,
  checkUnitInterval,
  typeError,
  warnWithoutEffect,
} from '../checks';
import type {SelectionContext, Selector} from '../types';
import {classErrors} from './classErrors';
import {type Batch, selector} from './selector';
import {checkedMemory, weighAll} from './weighing';

const NAME = 'ghm';

export interface GhmOptions {
  /** Number of bins for the gradient norms, an integer ≥ 1. Default 10. */
  bins?: number;
  /** Share of earlier batches in the counts, in [0, 1). Default 0. */
  momentum?: number;
  /** Whether `yPred` holds logits instead of probabilities. Default false, as in Keras. */
  fromLogits?: boolean;
  /** For regression: μ of the loss √(d² + μ²) − μ, a finite number > 0. Omit for labels. */
  mu?: number;
}

/**
 * Keeps every example, and down-weights those whose gradient norm many others share.
 *
 *     w_i = N / (count(bin of g_i) · M),    N rows, M bins that are not empty
 *     g_i = ½ ‖p_i − y_i‖₁;  |p_i − y_i| for a binary label;  |d_i| / √(d_i² + μ²) for a number
 *
 * The gradient harmonizing mechanism, for detectors. The gradients of the many easy negatives and
 * of the few outliers crowd at 0 and 1; their bins count no more than the bins between. The
 * weights sum to N. A row whose prediction is NaN has weight 0, and is none of the N. For rows
 * with several labels or numbers, mine the elements; a step refuses such rows.
 *
 * With a `momentum` the counts are a moving mean, which starts for each bin with its first count.
 * In mmdetection it starts with 0, which makes the first weights 1 / (1 − momentum) too large.
 *
 * @param options  `bins` (default 10); `momentum` (default 0); `fromLogits` (default false); `mu`
 *   for GHM-R, 0.02 in the paper.
 * @returns a selector, `float32[B]` → `{indices: int32[B], weights: float32[B]}`, hardest first. It
 *   reads `context.yTrue` and `context.yPred`, which the trainers fill in for a model with one
 *   output. With a momentum its `remember` returns the counts, `float32[bins]`.
 * @throws RangeError or TypeError for a wrong option; TypeError if `losses` is not `float32[B]`,
 *   `yTrue` or `yPred` do not hold classes, a label or a number for each row, or, with a momentum,
 *   if `context.memory` is neither null nor a result of `remember`; RangeError if `fromLogits`
 *   contradicts the loss or the last activation of the model.
 *
 * @example
 * const yTrue = tf.tensor1d([0, 0, 0, 1]);
 * const yPred = tf.tensor2d([[0.02], [0.04], [0.01], [0.5]]);
 * const losses = tf.tensor1d([0.02, 0.04, 0.01, 0.69]);
 * ghm()(losses, {yTrue, yPred}).weights.dataSync();   // Float32Array [2, 0.666667, 0.666667, 0.666667]
 *
 * @see Li, Liu & Wang, Gradient Harmonized Single-stage Detector, AAAI 2019, §3 (arXiv:1811.05181)
 */
export function ghm(options: GhmOptions = {}): Selector {
  checkOptionNames(NAME, options, ['bins', 'momentum', 'fromLogits', 'mu']);
  const {bins = 10, momentum = 0, fromLogits = false, mu} = options;
  checkBoolean(NAME, 'fromLogits', fromLogits);
  checkCount(NAME, 'bins', bins);
  checkUnitInterval(NAME, 'momentum', momentum);
  if (mu !== undefined) {
    checkFinitePositive(NAME, 'mu', mu);
    checkFloat32Positive(NAME, 'the square of mu', mu * mu);
  }
  if (mu !== undefined && fromLogits) warnWithoutEffect(NAME, 'fromLogits', 'with mu, which is for numbers');
  /** Masks the bin of each selectable row, `float32[B, bins]`. */
  const binsOf = ({losses, rows, context}: Batch): Tensor => {
    const norms =
      mu === undefined ? normsOfLabels(losses.size, context, fromLogits) : normsOfNumbers(losses.size, context, mu);
    const places = minimum(floor(mul(norms, bins)), bins - 1);
    const isThere = equal(expandDims(places, 1), range(0, bins, 1, 'float32'));
    return cast(logicalAnd(isThere, expandDims(rows, 1)), 'float32');
  };
  const countsOf = (batch: Batch, marked: Tensor) => {
    const counts = sum<Tensor1D>(marked, 0);
    const before = momentum === 0 ? null : checkedMemory(NAME, batch, bins);
    return {counts, moved: before ? movedCounts(before, counts, momentum) : counts};
  };
  const choose = (batch: Batch) => {
    const marked = binsOf(batch);
    const {counts, moved} = countsOf(batch, marked);
    const crowd = sum(mul(marked, moved), 1);
    const used = sum(cast(greater(counts, 0), 'float32'));
    const weights = div<Tensor1D>(sum(counts), maximum(mul(crowd, used), 1e-37));
    // Rows in no bin are not selectable, or their prediction is NaN.
    return weighAll(batch, chooseEach(greater(crowd, 0), weights, zerosLike(weights)) as Tensor1D);
  };
  const remember = (batch: Batch) => countsOf(batch, binsOf(batch)).moved;
  return selector(NAME, choose, momentum === 0 ? undefined : remember);
}

/** Moves the counts of the bins that are not empty towards those of this batch. */
function movedCounts(before: Tensor1D, counts: Tensor1D, momentum: number): Tensor1D {
  const mixed = add(mul(before, momentum), mul(counts, 1 - momentum));
  const latest = chooseEach(greater(before, 0), mixed, counts);
  return chooseEach(greater(counts, 0), latest, before) as Tensor1D;
}

const MINE_ELEMENTS = "For rows with several labels or numbers, mine the elements: {granularity: 'element'}.";

function normsOfLabels(rows: number, context: SelectionContext, fromLogits: boolean): Tensor1D {
  const errors = abs(classErrors(NAME, context, rows, {fromLogits, mayBeBinary: true}));
  if (context.binary && errors.shape[1] !== 1) {
    const got = (context.yPred as Tensor).shape;
    throw typeError(NAME, 'yPred', `have one label for each of ${rows} rows`, got, MINE_ELEMENTS);
  }
  return mul(sum(errors, 1), errors.shape[1] === 1 ? 1 : 0.5);
}

function normsOfNumbers(rows: number, {yTrue, yPred}: SelectionContext, mu: number): Tensor1D {
  for (const [name, tensor] of Object.entries({yTrue, yPred})) {
    if (tensor instanceof Tensor && tensor.size === rows) continue;
    const got = tensor instanceof Tensor ? tensor.shape : tensor;
    throw typeError(NAME, name, `have one number for each of ${rows} rows`, got, MINE_ELEMENTS);
  }
  const ofRows = (tensor: Tensor) => cast(reshape(tensor, [rows]), 'float32');
  const errors = sub(ofRows(yPred as Tensor), ofRows(yTrue as Tensor));
  return div(abs(errors), sqrt(add(square(errors), mu * mu)));
}
