import {div, maximum, mul, type Tensor1D, tidy} from '@tensorflow/tfjs-core';
import {checkFactor} from '../checks';
import type {Keep, Selector} from '../types';
import {checkKeep} from './keep';
import {drawByRank} from './rankDraw';
import {keepLargest} from './ranking';

const NAME = 'rankPressure';

export type RankPressureOptions = Keep & {
  /** How many times likelier the hardest row is than the easiest, at the first draw; ≥ 1, and 1 is a uniform draw. */
  pressure: number;
  /** Same seed and same `context.step`, same rows, on every backend. Default 0. */
  seed?: number;
};

/**
 * Keeps a draw of the examples in which chances fall exponentially with the rank.
 *
 *     K rows without replacement,   P(rank r) ∝ exp(−ln(pressure) · r / B),   r = 0 the hardest
 *
 * Online batch selection, within a batch: `pressure` says how much likelier the hardest row is than the easiest, apart from how many are
 * drawn. The paper ranks the whole data set by the latest losses known, and lets the pressure fall to 1 over training. Of a small batch
 * nearly all rows are drawn whatever the pressure: give it a batch some times larger than `K`.
 *
 * @param options  `k`, how many to keep, an integer ≥ 1, or `ratio` and `minK` as in {@link topK}; `pressure`, ≥ 1; `seed`, default 0.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, the drawn rows hardest first. `r` and `B` count the
 *   rows with a finite loss that are valid; no other is drawn.
 * @throws RangeError if `pressure` is not a finite number ≥ 1, `k` or `minK` not an integer ≥ 1 or `ratio` not in (0, 1]; TypeError if
 *   there is neither `k` nor `ratio`, or both (when the selector is built), or if `losses` is not `[B]` (when it is called).
 *
 * @example
 * const some = rankPressure({k: 2, pressure: 100, seed: 7});
 * some(tf.tensor1d([0.1, 0.9, 0.3, 0.2]), {step: 12}).indices.size;   // 2
 *
 * @see Loshchilov & Hutter, Online Batch Selection for Faster Training of Neural Networks, ICLR 2016 workshop,
 *   the section on online batch selection with its s_e (arXiv:1511.06343)
 */
export function rankPressure({pressure, seed = 0, ...keep}: RankPressureOptions = {} as RankPressureOptions): Selector {
  checkKeep(NAME, keep as Keep, ['pressure', 'seed']);
  checkFactor(NAME, 'pressure', pressure);
  const decay = -Math.log(pressure);

  return (losses, context = {}) =>
    tidy(() =>
      drawByRank(
        NAME,
        losses,
        context,
        seed,
        (places, rows) => mul(places, div(decay, maximum(rows, 1))) as Tensor1D,
        (keys) => keepLargest(keys, keep as Keep, context),
      ),
    );
}
