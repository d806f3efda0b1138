import {
  abs,
  add,
  cast,
  where as chooseEach,
  concat,
  cumsum,
  equal,
  less,
  logicalAnd,
  lowerBound,
  neg,
  range,
  reshape,
  sub,
  sum,
  type Tensor1D,
  upperBound,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {checkGiven, checkRows, checkValues, typeError} from '../checks';
import {putRows, takeRows} from '../rows';
import type {Selection} from '../types';
import {descending, keepLargest, rankable} from './ranking';
import type {Batch} from './selector';

/** Bound of ids: float32, in which everything is sorted, is not exact for all larger integers. */
const TOO_LARGE = 2 ** 24;

/** Rows by group, the hardest of each group first. Masks are `bool[B]` in this order. */
export interface Groups {
  /** The rows that may be selected; they come before the others of their group. */
  usable: Tensor1D;
  /** Sorts values of rows into the order of the groups. */
  inOrder(ofRows: Tensor1D): Tensor1D;
  /** Sorts values in the order of the groups back into that of the batch. */
  inBatch(values: Tensor1D): Tensor1D;
  /** Finds, for each row in order, the value of the hardest row of its group. */
  first(ofRows: Tensor1D): Tensor1D;
  /** Masks the hardest `most` of the masked rows of each group; `most` may differ per row. */
  hardest(mask: Tensor1D, most: Tensor1D | number): Tensor1D;
  /** Counts, for each row, the masked rows of its group: `int32[B]`. */
  total(mask: Tensor1D): Tensor1D;
  /** Turns the masked rows into a selection with `K = B`, hardest first across the groups. */
  keep(mask: Tensor1D): Selection;
}

/** Ranks rows within the groups of `context.group`; without it all rows are one group. */
export function byGroup(where: string, {losses, rows, context}: Batch): Groups {
  const batchSize = losses.size;
  const {ids, known} = groupIds(where, context.group, rows);
  const hardestFirst = descending(rankable(losses, known)).indices;
  // The sort is stable, so the hardest row stays first within its group.
  const sorted = ids && descending(neg(takeRows(ids, hardestFirst)));
  const place = sorted ? sorted.indices : range(0, batchSize, 1, 'int32');
  const order = takeRows(hardestFirst, place);
  const bounds = sorted ? segments(neg(sorted.values)) : undefined;

  const inOrder = (ofRows: Tensor1D) => takeRows(ofRows, order);
  const counted = (mask: Tensor1D) => cast(mask, 'int32');
  const countsBefore = (mask: Tensor1D) => cumsum(counted(mask), 0, true) as Tensor1D;
  return {
    usable: inOrder(known),
    inOrder,
    inBatch: (values) => putRows(values, order, batchSize),
    first: (ofRows) => takeRows(inOrder(ofRows), bounds?.start ?? zerosLike(place)),
    hardest(mask, most) {
      const before = countsBefore(mask);
      const harder = bounds ? sub<Tensor1D>(before, takeRows(before, bounds.start)) : before;
      return logicalAnd<Tensor1D>(mask, less(cast(harder, 'float32'), most));
    },
    total(mask) {
      const all = sum<Tensor1D>(counted(mask), 0, true);
      if (!bounds) return add(all, zerosLike(place));
      const before = concat([countsBefore(mask), all]);
      return sub(takeRows(before, bounds.end), takeRows(before, bounds.start));
    },
    keep(mask) {
      const ranked = rankable(neg(cast(place, 'float32')), mask);
      const {indices, weights} = keepLargest(ranked, {k: batchSize});
      return {indices: takeRows(order, indices), weights};
    },
  };
}

/**
 * Ranks rows as {@link byGroup} does; masks usable positives and negatives by `context.positive`.
 */
export function positivesByGroup(where: string, batch: Batch): Groups & {positives: Tensor1D; negatives: Tensor1D} {
  const groups = byGroup(where, batch);
  const {positive} = batch.context as {positive: Tensor1D};
  checkGiven(where, 'positive', positive, '1 = a positive example, 0 = a negative one');
  checkRows(where, 'positive', positive, batch.losses.size);
  const isMark = (mark: number) => mark === 0 || mark === 1;
  checkValues(where, 'positive', 'hold 0 or 1', positive, isMark, 'From class labels: tf.greater(labels, 0).');
  const usable = (mask: Tensor1D): Tensor1D => logicalAnd(groups.usable, groups.inOrder(mask));
  return {...groups, positives: usable(equal(positive, 1)), negatives: usable(equal(positive, 0))};
}

/** Finds start and end of each number's run of equal numbers, without the axis that tfjs adds. */
function segments(ascending: Tensor1D): {start: Tensor1D; end: Tensor1D} {
  return {
    start: reshape(lowerBound(ascending, ascending), ascending.shape),
    end: reshape(upperBound(ascending, ascending), ascending.shape),
  };
}

/** Converts ids to sortable `float32[B]`; `known` masks the `rows` with a sortable id. */
export function groupIds(where: string, group: Tensor1D | undefined, rows: Tensor1D) {
  if (group === undefined) return {ids: undefined, known: rows};
  checkRows(where, 'group', group, rows.size);
  if (group.dtype !== 'int32') {
    throw typeError(where, 'group', 'hold int32', group, "Ids of groups are integers: tf.tensor1d(ids, 'int32').");
  }
  const isId = (id: number) => Math.abs(id) < TOO_LARGE;
  checkValues(where, 'group', 'hold ids between -2^24 and 2^24', group, isId, 'Number the images of a batch from 0.');
  const ids = cast(group, 'float32');
  const known: Tensor1D = less(abs(ids), TOO_LARGE);
  return {ids: chooseEach(known, ids, zerosLike(ids)) as Tensor1D, known: logicalAnd<Tensor1D>(rows, known)};
}
