import {notEqual, onesLike} from '@tensorflow/tfjs-core';
import type {Keep, Selector} from '../types';
import {byGroup} from './groups';
import {checkKeep, keptOf, ofCounts} from './ranking';
import {selector} from './selector';

const NAME = 'topKPerGroup';

/**
 * Keeps the largest losses of each group.
 *
 *     kept = ⋃_g argsort(losses of g, descending)[0 … K_g),
 *     K_g = min(k, B_g)  or  max(minK, round(ratio · valid rows of g))
 *
 * No group dominates: with classes as groups a rare class keeps its share, with images as groups
 * every image contributes. `context.group` holds the group of each row; without it all rows form
 * one group, as for {@link topK}. `K` is `B`.
 *
 * @param keep  `{k}` or `{ratio, minK}` per group, as in {@link topK}.
 * @returns a selector, `float32[B]` → `{indices: int32[B], weights: float32[B]}`, hardest first.
 * @throws RangeError or TypeError for a wrong option; TypeError if `losses` is not `float32[B]` or
 *   `context.group` not `int32[B]`.
 *
 * @example
 * const group = tf.tensor1d([0, 0, 1, 1], 'int32');
 * const {indices, weights} = topKPerGroup({k: 1})(tf.tensor1d([0.9, 0.8, 0.1, 0.3]), {group});
 * indices.dataSync();   // Int32Array [0, 3, 1, 2]
 * weights.dataSync();   // Float32Array [1, 1, 0, 0]
 */
export function topKPerGroup(keep: Keep): Selector {
  checkKeep(NAME, keep);
  return selector(NAME, (batch) => {
    const {usable, inOrder, hardest, total, keep: keepMasked} = byGroup(NAME, batch);
    const valid = batch.context.valid ? inOrder(notEqual(batch.context.valid, 0)) : onesLike(usable);
    const most = ofCounts(total(valid), batch.losses.size, (rows) => keptOf(keep, rows));
    return keepMasked(hardest(usable, most));
  });
}
