import {
  add,
  cast,
  where as chooseEach,
  fill,
  floor,
  greater,
  isFinite as isFiniteTensor,
  less,
  logicalAnd,
  maximum,
  mul,
  notEqual,
  range,
  sum,
  type Tensor1D,
  topk,
} from '@tensorflow/tfjs-core';
import {checkRows, typeError} from '../checks';
import type {Keep, Selection, SelectionContext} from '../types';
import {keptOf} from './keep';

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

/** Keeps the rows with the largest scores of `rankable`, largest first; ties keep the lower index. */
export function keepLargest(ranked: Tensor1D, keep: Keep, {valid}: SelectionContext = {}): Selection {
  const {values, indices} = topk(ranked, keptOf(keep, ranked.size), true);
  const found = cast(greater(values, UNSELECTABLE), 'float32');
  const weights = valid === undefined || 'k' in keep ? found : mul(found, withinShare(values.size, keep, valid));
  return {indices: indices as Tensor1D, weights: weights as Tensor1D};
}

/**
 * Marks with 1 the first `max(minK, round(ratio · valid rows))` of `count` places. The valid rows are counted on the
 * device; the rest of the `count` places, which were sized for a batch that is valid throughout, get 0.
 */
function withinShare(count: number, {ratio, minK = 1}: {ratio: number; minK?: number}, valid: Tensor1D): Tensor1D {
  const validRows = sum(cast(notEqual(valid, 0), 'float32'));
  // 0.7 · 5 is a little less than 3.5 in float32: lift by that error, so that it rounds here as it does on the host.
  const share = floor(add(mul(validRows, ratio * (1 + 2 ** -22)), 0.5));
  return cast(less(range(0, count, 1, 'float32'), maximum(share, minK)), 'float32');
}
