import {
  cast,
  where as chooseEach,
  div,
  divNoNan,
  greater,
  max,
  maximum,
  mul,
  slice,
  sum,
  type Tensor1D,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {checkCount, checkOptionNames, checkSeed} from '../checks';
import {takeRows} from '../rows';
import type {Selector} from '../types';
import {type DrawOptions, noise} from './noise';
import {drawInProportion} from './proportionalDraw';
import {asFloat, reordered} from './ranking';
import {selector} from './selector';

const NAME = 'importanceSampling';

export interface ImportanceSamplingOptions extends DrawOptions {
  /** Number of draws; an integer ≥ 1. A batch with fewer rows uses its number of rows. */
  k: number;
}

/**
 * Draws examples in proportion to their loss, with weights that keep the mean unbiased.
 *
 *     K = min(k, B) draws with replacement,   P(row i) = p_i = l_i / Σ l,   w_i = 1 / (B · p_i),
 *     E[(1/K) Σ w · l] = (1/B) Σ l
 *
 * Estimates the gradient of the whole batch from few rows, with less noise than a uniform draw:
 * unlike the other selectors it does not change the objective. A draw by gradient norm has the
 * least noise: `scored(importanceSampling({k}), gradientNormBound())`.
 *
 * (1/K) Σ w · l is unbiased, B / K times `reduction: 'batchMean'`; `'mean'` divides by Σ w, about
 * `K`. A row with a score of 0 or less is never drawn. If no score is positive, the draw is
 * uniform.
 *
 * @param options  `k` draws; `seed`.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, hardest first.
 *   `B` in the weights counts the valid rows with a finite loss; no other row is drawn.
 * @throws RangeError or TypeError for a wrong option; TypeError if `losses` is not `float32[B]`.
 *
 * @example
 * const {indices, weights} = importanceSampling({k: 2})(tf.tensor1d([0, 0.9, 0]));
 * indices.dataSync();   // Int32Array [1, 1]
 * weights.dataSync();   // Float32Array [0.333333, 0.333333]
 *
 * @see Katharopoulos & Fleuret, ICML 2018, §3.1 (arXiv:1803.00942)
 */
export function importanceSampling(options: ImportanceSamplingOptions = {} as ImportanceSamplingOptions): Selector {
  checkOptionNames(NAME, options, ['k', 'seed']);
  const {k, seed = 0} = options;
  checkSeed(NAME, seed);
  checkCount(NAME, 'k', k);

  return selector(NAME, ({losses, rows, context}) => {
    const count = Math.min(k, losses.size);
    const chances = chancesOf(losses, rows);
    // Clamp below 1: a draw of exactly 1 would match the total and index past the last row.
    const draws = noise(2 * count, seed, context, (uniform) => Math.min(uniform, 1 - 2 ** -24));
    const {indices, total} = drawInProportion(chances, slice(draws, 0, count), slice(draws, count));
    const rowCount = cast(sum(cast(rows, 'int32')), 'float32');
    const weights = divNoNan(total, mul(takeRows(chances, indices), rowCount)) as Tensor1D;
    return reordered({indices, weights}, takeRows(losses, indices));
  });
}

/**
 * Divides scores by the largest, so that their sum is finite; equal chances if none is positive.
 */
function chancesOf(scores: Tensor1D, rows: Tensor1D): Tensor1D {
  const positive = chooseEach(rows, maximum(scores, 0), zerosLike(scores));
  const largest = max(positive);
  return chooseEach(greater(largest, 0), div(positive, largest), asFloat(rows)) as Tensor1D;
}
