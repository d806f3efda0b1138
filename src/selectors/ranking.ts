import {
  cast,
  where as chooseEach,
  fill,
  gather,
  greater,
  isFinite as isFiniteTensor,
  logicalAnd,
  mul,
  notEqual,
  type Tensor1D,
  tidy,
} from '@tensorflow/tfjs-core';
import {checkRows, typeError} from '../checks';
import type {Keep, Selection, SelectionContext, Selector} from '../types';
import {firstPlaces, ofValidRows} from './counts';
import {descending} from './descending';
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

/** Keeps the rows with the largest scores of `rankable`, largest first; ties keep the lower index. */
export function keepLargest(ranked: Tensor1D, keep: Keep, {valid}: SelectionContext = {}): Selection {
  const {values, indices} = descending(ranked, keptOf(keep, ranked.size));
  const found = isRankable(values);
  if (valid === undefined || keep.k !== undefined) return {indices, weights: asWeights(found)};
  // The places were sized for a batch that is valid throughout.
  const share = ofValidRows(ranked.size, valid, (rows) => shareOf(keep, rows));
  return {indices, weights: asWeights(logicalAnd(found, firstPlaces(values.size, share)))};
}

/** Tells the scores of `rankable` that belong to rows that may be selected, `bool[…]`. */
export function isRankable(scores: Tensor1D): Tensor1D {
  return greater(scores, UNSELECTABLE);
}

/** Weights 1 and 0 from marks. Times 1, since the cpu backend leaves booleans as bytes when it casts them. */
export function asWeights(marks: Tensor1D): Tensor1D {
  return mul(cast(marks, 'float32'), 1);
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
