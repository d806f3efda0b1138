import {
  cast,
  where as chooseEach,
  greater,
  less,
  logicalAnd,
  logicalNot,
  mul,
  ones,
  type Rank,
  range,
  type Scalar,
  stack,
  type Tensor1D,
  tensor1d,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import {checkClosedUnitInterval, livesInMainMemory} from '../checks';
import {placeOfLargest, putRows, takeRows} from '../rows';
import type {Keep, Selector} from '../types';
import {boxEdges, type Edges, overlapping, overlappingOnHost} from './boxes';
import {groupIds} from './groups';
import {asFloat, checkKeep, descending, isRankable, keepLargest, keptOf, rankable, valueAt} from './ranking';
import {selector} from './selector';

const NAME = 'nmsTopK';

export type NmsTopKOptions = Keep & {
  /** Largest allowed overlap with a kept box of the same group, as IoU in [0, 1]. Default 0.7. */
  iouThreshold?: number;
};

/**
 * Keeps the largest losses among boxes that do not overlap too much.
 *
 *     for i in argsort(losses, descending):
 *       keep i, unless IoU(box_i, box_j) > iouThreshold for a kept j of its group
 *     until K are kept
 *
 * The paper's rule for region proposals: boxes that nearly coincide have nearly the same loss and
 * would count it many times. The suppression is exact; on a GPU it stays on the device, in `K`
 * rounds. Boxes of different groups (`context.group`: the image, or one id per image and class)
 * never suppress one another; `K` counts rows of the whole batch.
 *
 * @param options  `k` or `ratio` and `minK`, as in {@link topK}; `iouThreshold`.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, hardest first.
 * @throws RangeError or TypeError for a wrong option; TypeError if `losses` is not `float32[B]`,
 *   `context.boxes` not `[B, 4]` or `context.group` not `int32[B]`; RangeError, in development, if
 *   a valid box has a negative or non-finite side. In production such a box is not kept.
 *
 * @example
 * const apart = nmsTopK({k: 2, iouThreshold: 0.5});
 * const boxes = tf.tensor2d([[0, 0, 9, 9], [0, 1, 9, 9], [20, 20, 30, 30]]);   // y1, x1, y2, x2
 * apart(tf.tensor1d([0.9, 0.8, 0.1]), {boxes}).indices.dataSync();   // Int32Array [0, 2]
 *
 * @see Shrivastava, Gupta & Girshick, CVPR 2016, §4.1 (arXiv:1604.03540)
 */
export function nmsTopK({iouThreshold = 0.7, ...keep}: NmsTopKOptions = {} as NmsTopKOptions): Selector {
  checkKeep(NAME, keep as Keep, ['iouThreshold']);
  checkClosedUnitInterval(NAME, 'iouThreshold', iouThreshold);
  return selector(NAME, (batch) => {
    const {losses, context} = batch;
    const {edges, sound} = boxEdges(NAME, batch);
    const {ids, known} = groupIds(NAME, context.group, sound);
    const {values, indices: order} = descending(rankable(losses, known));
    const inOrder = (ofRows: Tensor1D) => takeRows(ofRows, order);
    const survivorsOf = livesInMainMemory() ? survivorsOnHost : survivorsOnDevice;
    const boxes = {edges: edges.map(inOrder) as unknown as Edges, ids: ids && inOrder(ids), iouThreshold};
    const survivors = survivorsOf(isRankable(values), boxes, keptOf(keep as Keep, losses.size));
    const {indices, weights} = keepLargest(rankable(ones(losses.shape), survivors), keep as Keep, context);
    return {indices: takeRows(order, indices), weights};
  });
}

/** Boxes in the order of suppression, and the overlap from which one suppresses another. */
interface Suppression {
  edges: Edges;
  ids: Tensor1D | undefined;
  iouThreshold: number;
}

/** Masks the first `count` survivors, `bool[B]`, of candidates in the order of suppression. */
export function survivorsOnHost(
  candidates: Tensor1D,
  {edges, ids, iouThreshold}: Suppression,
  count: number,
): Tensor1D {
  const [isCandidate, overlap] = [candidates.dataSync(), overlappingOnHost(edges, ids, iouThreshold)];
  const kept: number[] = [];
  for (let place = 0; place < isCandidate.length && kept.length < count; place++) {
    if (isCandidate[place] && !kept.some((other) => overlap(other, place))) kept.push(place);
  }
  const mask = new Uint8Array(isCandidate.length);
  for (const place of kept) mask[place] = 1;
  return tensor1d(mask, 'bool');
}

/** Finds the same in kernels alone, one survivor in each round. */
export function survivorsOnDevice(
  candidates: Tensor1D,
  {edges, ids, iouThreshold}: Suppression,
  count: number,
): Tensor1D {
  const size = candidates.size;
  const overlaps = overlapping(edges, ids, iouThreshold);
  const out = zeros<Rank.R1>([size]);
  // Distinct numbers of the remaining candidates, largest first, so all backends pick the same.
  let running = mul(asFloat(candidates), range(size, 0, -1, 'float32')) as Tensor1D;
  const places: Scalar[] = [];
  const numbers: Scalar[] = [];
  for (let round = 0; round < count; round++) {
    const before = running;
    const [place, number, rest] = tidy(() => {
      const next = placeOfLargest(before);
      const itsNumber = valueAt(before, next);
      const staysIn = logicalAnd(less(before, itsNumber), logicalNot(overlaps(next)));
      return [next, itsNumber, chooseEach(staysIn, before, out) as Tensor1D] as const;
    }) as unknown as [Scalar, Scalar, Tensor1D];
    before.dispose();
    running = rest;
    places.push(place);
    numbers.push(number);
  }
  // Once no candidate remains, every further round finds the number 0.
  const found = cast(greater(stack(numbers), 0), 'int32') as Tensor1D;
  return cast(putRows(found, stack(places) as Tensor1D, size), 'bool');
}
