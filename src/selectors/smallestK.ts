import {neg, tidy} from '@tensorflow/tfjs-core';
import type {Keep, Selector} from '../types';
import {checkKeep} from './keep';
import {keepLargest, rankable, selectable} from './ranking';

/**
 * Keeps the examples with the smallest loss.
 *
 *     kept = argsort(losses, ascending)[0 … K),   K = min(k, B)  or  max(minK, round(ratio · B))
 *
 * The small-loss trick of co-teaching: what a network finds easy is more often labelled right. It is the opposite of mining, and the control
 * that shows how much of a result comes from the hard examples. It ranks the easiest first, where every other selector has the hardest first.
 *
 * @param keep  `{k}` or `{ratio, minK}`, as in {@link topK}.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, easiest first. Ties keep the lower
 *   index; non-finite losses and rows that are not valid get weight 0.
 * @throws RangeError if `k` or `minK` is not an integer ≥ 1 or `ratio` is not in (0, 1]; TypeError if there is neither
 *   `k` nor `ratio`, or both (when the selector is built), or if `losses` is not `[B]` (when it is called).
 *
 * @example
 * const easiest = smallestK({k: 2});
 * easiest(tf.tensor1d([0.1, 0.9, 0.3])).indices.dataSync();   // Int32Array [0, 2]
 *
 * @see Han et al., Co-teaching, NeurIPS 2018, Algorithm 1 (arXiv:1804.06872)
 */
export function smallestK(keep: Keep): Selector {
  checkKeep('smallestK', keep);
  return (losses, context = {}) =>
    tidy(() => keepLargest(rankable(neg(losses), selectable('smallestK', losses, context)), keep, context));
}
