import {
  add,
  cast,
  gather,
  greater,
  logicalAnd,
  maximum,
  sub,
  type Tensor1D,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';
import {checkOptionNames, checkRatio} from '../checks';
import type {Selector} from '../types';
import {firstPlaces, ofValidRows} from './counts';
import {drawByRank} from './rankDraw';
import {asWeights, keepLargest} from './ranking';

const NAME = 'rankSampling';

export interface RankSamplingOptions {
  /** Share of the valid rows, in (0, 1]; also how strongly the draw leans to the hard ones. */
  ratio: number;
  /** Same seed and same `context.step`, same rows, on every backend. Default 0. */
  seed?: number;
}

/**
 * Keeps a draw of the examples in which harder ones are likelier, by their rank.
 *
 *     K = max(1, floor(ratio · B)) rows without replacement,   P(rank r) ∝ ((r + ½) / B)^(1/ratio − 1),   r = 0 the easiest
 *
 * What Composer does as selective backprop: it leans to hard rows as {@link topK} does, but every row has a chance, so that what is
 * learned is not forgotten. The one number sets both how many are drawn and how steeply: at `ratio` 1 all rows are kept, at ½ chances
 * are linear in the rank. A row that is much harder than the others is no likelier than one that is a little harder.
 *
 * @param options  `ratio`, the share of the valid rows, in (0, 1]; `seed`, default 0. `K` is sized for `B` valid rows; where
 *   `context.valid` leaves fewer, the places over `max(1, floor(ratio · valid rows))` get weight 0.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, the drawn rows hardest first. Ranks are those among the
 *   rows with a finite loss that are valid; no other is drawn.
 * @throws RangeError if `ratio` is not in (0, 1] (when the selector is built); TypeError if `losses` is not `[B]` (when it is called).
 *
 * @example
 * const some = rankSampling({ratio: 0.5, seed: 7});
 * some(tf.tensor1d([0.1, 0.9, 0.3, 0.2]), {step: 12}).indices.size;   // 2
 *
 * @see MosaicML, Composer, Selective Backprop (`select_using_loss`), after Jiang et al. (arXiv:1910.00762); Efraimidis & Spirakis, Weighted
 *   random sampling with a reservoir, Information Processing Letters 97, 2006, §2 (drawing by the largest keys)
 */
export function rankSampling(options: RankSamplingOptions = {} as RankSamplingOptions): Selector {
  checkOptionNames(NAME, options, ['ratio', 'seed']);
  const {ratio, seed = 0} = options;
  checkRatio(NAME, 'ratio', ratio);
  // 0.29 of 100 rows is 29, though 0.29 * 100 is 28.999999999999996.
  const drawnOf = (rows: number) => Math.max(1, Math.floor(ratio * rows + 1e-9));
  const power = 1 / ratio - 1;

  return (losses, context = {}) =>
    tidy(() => {
      const batchSize = losses.size;
      return drawByRank(
        NAME,
        losses,
        context,
        seed,
        (places, rows) => {
          const byRank = Float32Array.from(
            {length: batchSize},
            (_, rank) => power * Math.log((rank + 0.5) / batchSize),
          );
          const ranks = cast(maximum(sub(rows, add(places, 1)), 0), 'int32');
          return gather(tensor1d(byRank), ranks) as Tensor1D;
        },
        (keys) => {
          const {indices, weights} = keepLargest(keys, {k: drawnOf(batchSize)});
          const share = firstPlaces(weights.size, ofValidRows(batchSize, context.valid, drawnOf));
          return {indices, weights: asWeights(logicalAnd(greater(weights, 0), share) as Tensor1D)};
        },
      );
    });
}
