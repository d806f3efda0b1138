import {neg} from '@tensorflow/tfjs-core';
import type {Keep, Selector} from '../types';
import {checkKeep} from './ranking';
import {largest} from './selector';

/**
 * Keeps the examples with the smallest loss.
 *
 *     kept = argsort(losses, ascending)[0 … K),   K = min(k, B)  or  max(minK, round(ratio · B))
 *
 * The small-loss trick of co-teaching: rows that a network finds easy are more often correctly
 * labelled. As the opposite of mining it shows how much of a result is due to the hard rows.
 *
 * @param keep  `{k}` or `{ratio, minK}`, as in {@link topK}.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, easiest first.
 * @throws RangeError or TypeError for a wrong option; TypeError if `losses` is not `float32[B]`.
 *
 * @example
 * const easiest = smallestK({k: 2});
 * easiest(tf.tensor1d([0.1, 0.9, 0.3])).indices.dataSync();   // Int32Array [0, 2]
 *
 * @see Han et al., Co-teaching, NeurIPS 2018, Algorithm 1 (arXiv:1804.06872)
 */
export function smallestK(keep: Keep): Selector {
  checkKeep('smallestK', keep);
  return largest('smallestK', keep, neg);
}
