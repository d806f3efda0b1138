import {add, maximum, type Scalar, sub, type Tensor1D, tensor1d} from '@tensorflow/tfjs-core';
import {checkOptionNames, checkRatio, checkSeed} from '../checks';
import {takeRows} from '../rows';
import type {Selector} from '../types';
import {wholePart} from '../wholePart';
import {type DrawOptions, drawByRank} from './noise';
import {selector} from './selector';

const NAME = 'rankSampling';

export interface RankSamplingOptions extends DrawOptions {
  /** Share of the valid rows, in (0, 1]; smaller shares also favour hard rows more. */
  ratio: number;
}

/**
 * Keeps a random draw of the examples; harder ranks are likelier.
 *
 *     K = max(1, floor(ratio · B)) rows without replacement,
 *     P(rank r) ∝ ((r + ½) / B)^(1/ratio − 1),   r = 0 the easiest
 *
 * Composer's selective backprop. It favours hard rows, but unlike {@link topK} gives every row a
 * chance, which counters forgetting. The ratio sets both the size and the steepness of the draw: at
 * 1 all rows are kept, at ½ chances are linear in the rank.
 *
 * @param options  `ratio`; `seed`. `K` is sized for `B` valid rows; if `context.valid` leaves
 *   fewer, the slots past `max(1, floor(ratio · valid rows))` get weight 0.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, hardest first.
 *   Only valid rows with a finite loss are ranked and drawn.
 * @throws RangeError or TypeError for a wrong option; TypeError if `losses` is not `float32[B]`.
 *
 * @example
 * const some = rankSampling({ratio: 0.5, seed: 7});
 * some(tf.tensor1d([0.1, 0.9, 0.3, 0.2]), {step: 12}).indices.size;   // 2
 *
 * @see MosaicML, Composer, `select_using_loss`, after Jiang et al. (arXiv:1910.00762); Efraimidis &
 *   Spirakis, Information Processing Letters 97, 2006, §2 (drawing by the largest keys)
 */
export function rankSampling(options: RankSamplingOptions = {} as RankSamplingOptions): Selector {
  checkOptionNames(NAME, options, ['ratio', 'seed']);
  const {ratio, seed = 0} = options;
  checkRatio(NAME, 'ratio', ratio);
  checkSeed(NAME, seed);
  const power = 1 / ratio - 1;

  return selector(NAME, (batch) => {
    const size = batch.losses.size;
    const logChances = (places: Tensor1D, rows: Scalar) => {
      const byRank = Float32Array.from({length: size}, (_, rank) => power * Math.log((rank + 0.5) / size));
      return takeRows(tensor1d(byRank), maximum(sub(rows, add(places, 1)), 0));
    };
    return drawByRank(batch, {ratio, round: wholePart}, seed, logChances);
  });
}
