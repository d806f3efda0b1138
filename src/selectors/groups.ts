import {
  abs,
  add,
  cast,
  where as chooseEach,
  concat,
  cumsum,
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
import {checkRows, checkValues, typeError} from '../checks';
import type {Selection, SelectionContext} from '../types';
import {valuesAt} from './counts';
import {descending} from './descending';
import {keepLargest, rankable, selectable} from './ranking';

/** Ids from here on are not all exact in float32, in which everything is sorted. */
const TOO_LARGE = 2 ** 24;

/** The rows of a batch group by group (image by image), in each group the hardest first; marks are `bool[B]` in that order. */
export interface Groups {
  /** The rows that may be selected; they come before the others of their group. */
  usable: Tensor1D;
  /** Puts values of rows into the order of the groups. */
  inOrder(ofRows: Tensor1D): Tensor1D;
  /** Marks the hardest of the marked rows of each group, `most` of them (for each row the same number, or one for its group). */
  hardest(marks: Tensor1D, most: Tensor1D | number): Tensor1D;
  /** Counts, for each row, the marked ones of its group: `int32[B]`. */
  total(marks: Tensor1D): Tensor1D;
  /** Makes the marked rows a selection with `K = B`, hardest first across the groups. */
  keep(marks: Tensor1D): Selection;
}

/** Ranks rows within the groups of `context.group`; without it all rows are one group. */
export function byGroup(where: string, losses: Tensor1D, context: SelectionContext): Groups {
  const batchSize = losses.size;
  const {ids, known} = groupIds(where, context.group, selectable(where, losses, context));
  const hardestFirst = descending(rankable(losses, known)).indices;
  // Sorting is stable: within a group the hardest stay first.
  const sorted = ids && descending(neg(valuesAt(ids, hardestFirst)));
  const place = sorted ? sorted.indices : range(0, batchSize, 1, 'int32');
  const order = valuesAt(hardestFirst, place);
  const bounds = sorted ? segments(neg(sorted.values)) : undefined;

  const inOrder = (ofRows: Tensor1D) => valuesAt(ofRows, order);
  const counted = (marks: Tensor1D) => cast(marks, 'int32');
  const countsBefore = (marks: Tensor1D) => cumsum(counted(marks), 0, true) as Tensor1D;
  return {
    usable: inOrder(known),
    inOrder,
    hardest(marks, most) {
      const before = countsBefore(marks);
      const harder = bounds ? sub<Tensor1D>(before, valuesAt(before, bounds.start)) : before;
      return logicalAnd<Tensor1D>(marks, less(cast(harder, 'float32'), most));
    },
    total(marks) {
      const all = sum<Tensor1D>(counted(marks), 0, true);
      if (!bounds) return add(all, zerosLike(place));
      const before = concat([countsBefore(marks), all]);
      return sub(valuesAt(before, bounds.end), valuesAt(before, bounds.start));
    },
    keep(marks) {
      const ranked = rankable(neg(cast(place, 'float32')), marks);
      const {indices, weights} = keepLargest(ranked, {k: batchSize});
      return {indices: valuesAt(order, indices), weights};
    },
  };
}

/** Where the run of equal numbers that each number of an ascending list belongs to begins, and where it ends; tfjs puts an axis before both. */
function segments(ascending: Tensor1D): {start: Tensor1D; end: Tensor1D} {
  return {
    start: reshape(lowerBound(ascending, ascending), ascending.shape),
    end: reshape(upperBound(ascending, ascending), ascending.shape),
  };
}

/**
 * The ids of groups as numbers to sort by, `float32[B]`, undefined where there is no group; and those of the `rows` whose id can be sorted by.
 */
export function groupIds(
  where: string,
  group: Tensor1D | undefined,
  rows: Tensor1D,
): {ids?: Tensor1D; known: Tensor1D} {
  if (group === undefined) return {known: rows};
  checkRows(where, 'group', group, rows.size);
  if (group.dtype !== 'int32') {
    throw typeError(where, 'group', 'hold int32', group, "Ids of groups are integers: tf.tensor1d(ids, 'int32').");
  }
  const isId = (id: number) => Math.abs(id) < TOO_LARGE;
  checkValues(where, 'group', 'hold ids between -2^24 and 2^24', group, isId, 'Number the images of a batch from 0.');
  const ids = cast(group, 'float32');
  const known = less(abs(ids), TOO_LARGE);
  return {ids: chooseEach(known, ids, zerosLike(ids)), known: logicalAnd(rows, known)};
}
