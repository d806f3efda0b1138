import type {Keep, Selector} from '../types';
import {checkKeep} from './keep';
import {keepHardest} from './ranking';

/**
 * Keeps the examples with the largest loss.
 *
 *     kept = argsort(losses, descending)[0 … K),   K = min(k, B)  or  max(minK, round(ratio · B))
 *
 * The rule of online hard example mining, of Ordered SGD and of the average top-k loss. Robust to easy data, not to
 * wrong labels: those have the largest losses of all. The selection carries no gradient.
 *
 * @param keep  `{k}`, how many to keep, an integer ≥ 1; or `{ratio, minK}`, the share of the valid rows, in (0, 1], and
 *   how many at least. `K` is sized for `B` valid rows; where `context.valid` leaves fewer, the places over
 *   `max(minK, round(ratio · valid rows))` get weight 0.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, hardest first. Ties keep the lower
 *   index; non-finite losses and rows that are not valid get weight 0.
 * @throws RangeError if `k` or `minK` is not an integer ≥ 1 or `ratio` is not in (0, 1]; TypeError if there is neither
 *   `k` nor `ratio`, or both (when the selector is built), or if `losses` is not `[B]` (when it is called).
 *
 * @example
 * const hardest = topK({k: 2});
 * hardest(tf.tensor1d([0.1, 0.9, 0.3])).indices.dataSync();   // Int32Array [1, 2]
 *
 * @see Shrivastava, Gupta & Girshick, Training Region-based Object Detectors with Online Hard Example Mining, CVPR 2016,
 *   §4 (arXiv:1604.03540); Kawaguchi & Lu, Ordered SGD, AISTATS 2020, Algorithm 1 (arXiv:1907.04371); Fan et al.,
 *   Learning with Average Top-k Loss, NeurIPS 2017, eq. 1 (arXiv:1705.08826)
 */
export function topK(keep: Keep): Selector {
  checkKeep('topK', keep);
  return keepHardest('topK', keep);
}
