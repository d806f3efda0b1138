import {
  cast,
  where as chooseEach,
  div,
  divNoNan,
  gather,
  greater,
  max,
  maximum,
  mul,
  slice,
  sum,
  type Tensor1D,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {checkCount, checkOptionNames} from '../checks';
import type {Selector} from '../types';
import {noise} from './noise';
import {drawInProportion} from './proportionalDraw';
import {reordered, selectable} from './ranking';

const NAME = 'importanceSampling';

export interface ImportanceSamplingOptions {
  /** How many draws; an integer ≥ 1. More than there are rows means as many as there are. */
  k: number;
  /** Same seed and same `context.step`, same draws, on every backend. Default 0. */
  seed?: number;
}

/**
 * Draws examples with replacement in proportion to their loss, and weighs them so that the mean stays what it was.
 *
 *     K = min(k, B) draws,   P(row i) = p_i = l_i / Σ l,   w_i = 1 / (B · p_i),   E[(1/K) Σ w · l] = (1/B) Σ l
 *
 * The gradient of the whole batch, estimated from few rows, with less noise than a uniform draw: unlike the other selectors it does not change
 * what is learned. Least noise comes from drawing by the size of the gradient: `scored(importanceSampling({k}), gradientNormBound())`.
 * A row may come several times. Unbiased is (1/K) Σ w · l, B / K times what `reduction: 'batchMean'` gives; `'mean'` divides by Σ w,
 * which is about `K`. A row whose score is 0 or less is never drawn, so its loss is not in the estimate; where that holds for all rows, the draw is uniform.
 *
 * @param options  `k`, how many draws, an integer ≥ 1; `seed`, default 0.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, hardest first; `B` in the weights counts the
 *   rows with a finite loss that are valid. No other is drawn; where there are none, all weights are 0.
 * @throws RangeError if `k` is not an integer ≥ 1 (when the selector is built); TypeError if `losses` is not `[B]` (when it is called).
 *
 * @example
 * const {indices, weights} = importanceSampling({k: 2})(tf.tensor1d([0, 0.9, 0]));
 * indices.dataSync();   // Int32Array [1, 1]
 * weights.dataSync();   // Float32Array [0.333333, 0.333333]
 *
 * @see Katharopoulos & Fleuret, Not All Samples Are Created Equal: Deep Learning with Importance Sampling, ICML 2018, §3.1
 *   (arXiv:1803.00942)
 */
export function importanceSampling(options: ImportanceSamplingOptions = {} as ImportanceSamplingOptions): Selector {
  checkOptionNames(NAME, options, ['k', 'seed']);
  const {k, seed = 0} = options;
  checkCount(NAME, 'k', k);

  return (losses, context = {}) =>
    tidy(() => {
      const rows = selectable(NAME, losses, context);
      const count = Math.min(k, losses.size);
      const chances = chancesOf(losses, rows);
      // The largest float32 under 1: with 1 the sum itself would be looked for, and found behind the last row.
      const draws = noise(2 * count, seed, context, (uniform) => Math.min(uniform, 1 - 2 ** -24));
      const {indices, total} = drawInProportion(chances, slice(draws, 0, count), slice(draws, count));
      const rowCount = sum(cast(rows, 'int32'));
      const weights = divNoNan(total, mul(gather(chances, indices), cast(rowCount, 'float32'))) as Tensor1D;
      return reordered({indices, weights}, gather(losses, indices));
    });
}

/** What to draw in proportion to: the scores over the largest of them, so that their sum is finite; all the same if none is over 0. */
function chancesOf(scores: Tensor1D, rows: Tensor1D): Tensor1D {
  const positive = chooseEach(rows, maximum(scores, 0), zerosLike(scores));
  const largest = max(positive);
  return chooseEach(greater(largest, 0), div(positive, largest), mul(cast(rows, 'float32'), 1)) as Tensor1D;
}
