import {div, maximum, mul, type Scalar, type Tensor1D} from '@tensorflow/tfjs-core';
import {checkFactor} from '../checks';
import type {Keep, Selector} from '../types';
import {type DrawOptions, drawByRank} from './noise';
import {checkKeep} from './ranking';
import {selector} from './selector';

const NAME = 'rankPressure';

export type RankPressureOptions = Keep &
  DrawOptions & {
    /** Odds of the hardest row against the easiest in the first draw; ≥ 1, 1 = uniform. */
    pressure: number;
  };

/**
 * Keeps a random draw of the examples; chances fall exponentially with the rank.
 *
 *     K rows without replacement,   P(rank r) ∝ exp(−ln(pressure) · r / B),   r = 0 the hardest
 *
 * Online batch selection within a batch, with separate settings for the size and the steepness of
 * the draw. The paper ranks the whole data set by the latest known losses and lowers the pressure
 * to 1 over training. Use a batch several times larger than `K`.
 *
 * @param options  `k` or `ratio` and `minK`, as in {@link topK}; `pressure`; `seed`.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, hardest first.
 *   `r` and `B` count the valid rows with a finite loss; no other is drawn.
 * @throws RangeError or TypeError for a wrong option; TypeError if `losses` is not `float32[B]`.
 *
 * @example
 * const some = rankPressure({k: 2, pressure: 100, seed: 7});
 * some(tf.tensor1d([0.1, 0.9, 0.3, 0.2]), {step: 12}).indices.size;   // 2
 *
 * @see Loshchilov & Hutter, Online Batch Selection, ICLR 2016 workshop (arXiv:1511.06343)
 */
export function rankPressure({pressure, seed = 0, ...keep}: RankPressureOptions = {} as RankPressureOptions): Selector {
  checkKeep(NAME, keep as Keep, ['pressure', 'seed']);
  checkFactor(NAME, 'pressure', pressure);
  const decay = -Math.log(pressure);
  const logChances = (places: Tensor1D, rows: Scalar) => mul(places, div(decay, maximum(rows, 1))) as Tensor1D;
  return selector(NAME, (batch) => drawByRank(batch, keep as Keep, seed, logChances));
}
