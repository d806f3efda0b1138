import type {Keep, Selector} from '../types';
import {checkKeep} from './ranking';
import {largest} from './selector';

/**
 * Keeps the examples with the largest loss.
 *
 *     kept = argsort(losses, descending)[0 … K),   K = min(k, B)  or  max(minK, round(ratio · B))
 *
 * The rule of online hard example mining, of Ordered SGD and of the average top-k loss. Robust to
 * easy data, but not to wrong labels, which have the largest losses.
 *
 * @param keep  `{k}` or `{ratio, minK}`. `K` is sized for `B` valid rows; if `context.valid` leaves
 *   fewer, the slots past `max(minK, round(ratio · valid rows))` get weight 0.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, hardest first.
 *   Ties keep the lower index; non-finite losses and rows that are not valid get weight 0.
 * @throws RangeError or TypeError for a wrong option; TypeError if `losses` is not `float32[B]`.
 *
 * @example
 * const hardest = topK({k: 2});
 * hardest(tf.tensor1d([0.1, 0.9, 0.3])).indices.dataSync();   // Int32Array [1, 2]
 *
 * @see Shrivastava, Gupta & Girshick, CVPR 2016, §4 (arXiv:1604.03540); Kawaguchi & Lu, AISTATS
 *   2020, Algorithm 1 (arXiv:1907.04371); Fan et al., NeurIPS 2017, eq. 1 (arXiv:1705.08826)
 */
export function topK(keep: Keep): Selector {
  checkKeep('topK', keep);
  return largest('topK', keep);
}
