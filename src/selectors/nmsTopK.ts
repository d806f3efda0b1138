import {
  argMax,
  cast,
  where as chooseEach,
  expandDims,
  greater,
  less,
  logicalAnd,
  logicalNot,
  mul,
  ones,
  type Rank,
  range,
  type Scalar,
  scatterND,
  stack,
  type Tensor1D,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import {checkClosedUnitInterval} from '../checks';
import type {Keep, Selector} from '../types';
import {boxEdges, type Edges, overlapping} from './boxes';
import {valuesAt} from './counts';
import {descending} from './descending';
import {groupIds} from './groups';
import {checkKeep, keptOf} from './keep';
import {asWeights, isRankable, keepLargest, rankable, selectable} from './ranking';

const NAME = 'nmsTopK';

export type NmsTopKOptions = Keep & {
  /** Boxes that overlap a kept one of their group by more than this are left out; intersection over union, in [0, 1]. Default 0.7. */
  iouThreshold?: number;
};

/**
 * Keeps the largest losses among boxes that do not lie upon one another.
 *
 *     for i in argsort(losses, descending):  keep i, unless IoU(box_i, box_j) > iouThreshold for a kept j of its group
 *     until K are kept
 *
 * The rule of the paper for region proposals: boxes that nearly coincide have nearly the same loss, and count it many times. Greedy suppression
 * by loss is exact and stays on the device, in `K` rounds over all boxes: on wasm some 0.15 ms a round for 256 boxes, 0.2 ms for 2000, 0.35 ms for
 * 4096 (64 of 2000 take 14 ms, 512 of 4096 take 180 ms); any number of boxes works. Boxes of different groups (`context.group`: the image, or
 * one id for each image and class) never suppress one another; `K` is of the whole batch. A threshold of 1 suppresses nothing. Where fewer than `K`
 * boxes survive, the rest gets weight 0.
 *
 * @param options  `k` or `ratio` and `minK`, as in {@link topK}, of the whole batch; `iouThreshold`, in [0, 1], default 0.7.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, hardest first. Ties keep the lower index;
 *   non-finite losses, rows that are not valid and, in production, boxes that are none get weight 0.
 * @throws RangeError if an option is out of its range; TypeError if there is neither `k` nor `ratio`, or both (when the selector
 *   is built), or if `losses` is not `[B]`, `context.boxes` is missing or not `[B, 4]`, or `context.group` is not `int32[B]`; RangeError,
 *   in development, if a valid box has `y2 < y1`, `x2 < x1` or a side that is not finite (when it is called).
 *
 * @example
 * const apart = nmsTopK({k: 2, iouThreshold: 0.5});
 * const boxes = tf.tensor2d([[0, 0, 10, 10], [0, 1, 10, 10], [20, 20, 30, 30]]);   // y1, x1, y2, x2
 * apart(tf.tensor1d([0.9, 0.8, 0.1]), {boxes}).indices.dataSync();   // Int32Array [0, 2]
 *
 * @see Shrivastava, Gupta & Girshick, CVPR 2016, §4.1 (arXiv:1604.03540)
 */
export function nmsTopK({iouThreshold = 0.7, ...keep}: NmsTopKOptions = {} as NmsTopKOptions): Selector {
  checkKeep(NAME, keep as Keep, ['iouThreshold']);
  checkClosedUnitInterval(NAME, 'iouThreshold', iouThreshold);
  return (losses, context = {}) =>
    tidy(() => {
      const {edges, sound} = boxEdges(NAME, context, selectable(NAME, losses, context));
      const {ids, known} = groupIds(NAME, context.group, sound);
      const {values, indices: order} = descending(rankable(losses, known));
      const inOrder = (ofRows: Tensor1D) => valuesAt(ofRows, order);
      const overlaps = overlapping(edges.map(inOrder) as unknown as Edges, ids && inOrder(ids), iouThreshold);
      const survivors = firstSurvivors(isRankable(values), overlaps, keptOf(keep as Keep, losses.size));
      const {indices, weights} = keepLargest(rankable(ones(losses.shape), survivors), keep as Keep, context);
      return {indices: valuesAt(order, indices), weights};
    });
}

/** Marks the first `count` survivors, `bool[B]`, of candidates that stand in the order in which they suppress one another. */
function firstSurvivors(candidates: Tensor1D, overlaps: (place: Scalar) => Tensor1D, count: number): Tensor1D {
  const size = candidates.size;
  const out = zeros<Rank.R1>([size]);
  // Who is in the running has a number, largest first; all differ, so that no backend takes another of equals.
  let running = mul(asWeights(candidates), range(size, 0, -1, 'float32')) as Tensor1D;
  const places: Scalar[] = [];
  const numbers: Scalar[] = [];
  for (let round = 0; round < count; round++) {
    const before = running;
    const [place, number, rest] = tidy(() => {
      const next = argMax(before) as Scalar;
      const itsNumber = valuesAt(before, next);
      const staysIn = logicalAnd(less(before, itsNumber), logicalNot(overlaps(next)));
      return [next, itsNumber, chooseEach(staysIn, before, out) as Tensor1D] as const;
    }) as unknown as [Scalar, Scalar, Tensor1D];
    before.dispose();
    running = rest;
    places.push(place);
    numbers.push(number);
  }
  // Once all are out, rounds find the number 0.
  const found = cast(greater(stack(numbers), 0), 'int32');
  return cast(scatterND(expandDims(stack(places), 1), found, [size]), 'bool');
}
