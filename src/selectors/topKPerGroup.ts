import {notEqual, onesLike, tidy} from '@tensorflow/tfjs-core';
import type {Keep, Selector} from '../types';
import {ofCounts} from './counts';
import {byGroup} from './groups';
import {checkKeep, shareOf} from './keep';

const NAME = 'topKPerGroup';

/**
 * Keeps the largest losses of each group.
 *
 *     kept = ⋃_g argsort(losses of g, descending)[0 … K_g),   K_g = min(k, B_g)  or  max(minK, round(ratio · valid rows of g))
 *
 * Mining that no group can take over: with classes as groups a rare class keeps its share, with images every image is learned from. `context.group` says
 * which row belongs to what; without it all rows are one group, as for {@link topK}. `K` is `B`, since only the device knows how many groups there are:
 * a step runs as many rows backward as it has.
 *
 * @param keep  `{k}` or `{ratio, minK}`, as in {@link topK}, of each group.
 * @returns a selector, `float32[B]` → `{indices: int32[B], weights: float32[B]}`, all kept rows hardest first. Ties keep the lower
 *   index; non-finite losses and rows that are not valid get weight 0.
 * @throws RangeError if `k` or `minK` is not an integer ≥ 1 or `ratio` is not in (0, 1]; TypeError if there is neither
 *   `k` nor `ratio`, or both (when the selector is built), or if `losses` is not `[B]` or `context.group` not `int32[B]` (when it is called).
 *
 * @example
 * const ofEach = topKPerGroup({k: 1});
 * const {indices, weights} = ofEach(tf.tensor1d([0.9, 0.8, 0.1, 0.3]), {group: tf.tensor1d([0, 0, 1, 1], 'int32')});
 * indices.dataSync();   // Int32Array [0, 3, 1, 2]
 * weights.dataSync();   // Float32Array [1, 1, 0, 0]
 */
export function topKPerGroup(keep: Keep): Selector {
  checkKeep(NAME, keep);
  const shareFor = (rows: number) => keep.k ?? shareOf(keep, rows);
  return (losses, context = {}) =>
    tidy(() => {
      const {usable, inOrder, hardest, total, keep: keepMarked} = byGroup(NAME, losses, context);
      const valid = context.valid ? inOrder(notEqual(context.valid, 0)) : onesLike(usable);
      return keepMarked(hardest(usable, ofCounts(total(valid), losses.size, shareFor)));
    });
}
