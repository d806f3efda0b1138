import {
  cast,
  where as chooseEach,
  fill,
  gather,
  greater,
  isFinite as isFiniteTensor,
  less,
  logicalAnd,
  mul,
  notEqual,
  range,
  sum,
  type Tensor1D,
  tensor1d,
  tidy,
  topk,
} from '@tensorflow/tfjs-core';
import {checkRows, typeError} from '../checks';
import type {Keep, Selection, SelectionContext, Selector} from '../types';
import {keptOf, shareOf} from './keep';

/** What a row that may not be selected is ranked by. Not -Infinity: GPUs do not all keep it. */
const UNSELECTABLE = -3.4028234663852886e38;

/** Marks the rows that may be selected: `bool[B]`, those with a finite loss that are valid. */
export function selectable(where: string, losses: Tensor1D, {valid}: SelectionContext = {}): Tensor1D {
  if (losses.rank !== 1 || losses.size === 0) {
    throw typeError(
      where,
      'losses',
      'have shape [B] with B >= 1',
      losses.shape,
      'Reduce over every axis but the first.',
    );
  }
  const finite = isFiniteTensor(losses);
  if (valid === undefined) return finite;
  checkRows(where, 'valid', valid, losses.size);
  return logicalAnd(finite, notEqual(valid, 0));
}

/** Scores to rank by: a row that may not be selected sinks to the end, whatever its score. */
export function rankable(scores: Tensor1D, rows: Tensor1D): Tensor1D {
  return chooseEach(rows, scores, fill(scores.shape, UNSELECTABLE));
}

/** The `count` largest of some scores and where they are, largest first; ties keep the lower index. All sorting goes through here. */
export function descending(scores: Tensor1D, count = scores.size): {values: Tensor1D; indices: Tensor1D} {
  return topk(scores, count, true) as {values: Tensor1D; indices: Tensor1D};
}

/** Keeps the rows with the largest scores of `rankable`, largest first; ties keep the lower index. */
export function keepLargest(ranked: Tensor1D, keep: Keep, {valid}: SelectionContext = {}): Selection {
  const {values, indices} = descending(ranked, keptOf(keep, ranked.size));
  // Times 1, since the cpu backend leaves booleans as bytes when it casts them.
  const found = mul(cast(greater(values, UNSELECTABLE), 'float32'), 1);
  const weights =
    valid === undefined || keep.k !== undefined
      ? found
      : mul(
          found,
          withinShare(values.size, (rows) => shareOf(keep, rows), valid),
        );
  return {indices, weights: weights as Tensor1D};
}

/** The selector that keeps the rows with the largest losses, under the name that its errors are to have. */
export function keepHardest(where: string, keep: Keep): Selector {
  return (losses, context = {}) =>
    tidy(() => keepLargest(rankable(losses, selectable(where, losses, context)), keep, context));
}

/** Orders what a selection keeps by scores of its places, largest first; what it does not keep comes last. */
export function reordered({indices, weights}: Selection, scores: Tensor1D): Selection {
  const order = descending(rankable(scores, greater(weights, 0))).indices;
  return {indices: gather(indices, order), weights: gather(weights, order)};
}

/**
 * Marks with 1 the first `share(valid rows)` of `count` places; the rest, which were sized for a batch that
 * is valid throughout, get 0. The valid rows are counted on the device, so what each count means comes from a table: in
 * float32 a product like 0.7 · 45 would round to another side than on the host.
 */
export function withinShare(count: number, share: (rows: number) => number, valid: Tensor1D): Tensor1D {
  const validRows = sum(cast(notEqual(valid, 0), 'int32'));
  const shares = Float32Array.from({length: valid.size + 1}, (_, rows) => share(rows));
  return cast(less(range(0, count, 1, 'float32'), gather(tensor1d(shares), validRows)), 'float32');
}
