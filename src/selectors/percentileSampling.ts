import {
  cast,
  where as chooseEach,
  concat,
  div,
  fill,
  isFinite as isFiniteTensor,
  less,
  logicalAnd,
  maximum,
  neg,
  reshape,
  searchSorted,
  slice,
  sub,
  sum,
  type Tensor1D,
  tidy,
} from '@tensorflow/tfjs-core';
import {checkClosedUnitInterval, checkCount, checkFinitePositive, checkOptionNames, typeError} from '../checks';
import type {SelectionContext, Selector} from '../types';
import {descending} from './descending';
import {noise} from './noise';
import {keepLargest, rankable, selectable} from './ranking';

const NAME = 'percentileSampling';

export interface PercentileSamplingOptions {
  /** How steeply chances rise with the percentile; a finite number > 0. */
  power: number;
  /** How many recent losses a loss is compared with; an integer ≥ 1. Default 1024. */
  historyLength?: number;
  /** The chance of the easiest rows, in [0, 1]. Default 0. */
  minProbability?: number;
  /** Same seed and same `context.step`, same draw, on every backend. Default 0. */
  seed?: number;
}

/**
 * Keeps each example by a chance of its own: the share of recent losses that are smaller, to a power.
 *
 *     P(keep row i) = max(minProbability, F(l_i)^power),   F(l) = share of the last `historyLength` losses < l, this batch's among them
 *
 * Selective-Backprop. How many rows are kept differs from batch to batch, about 1 / (power + 1) of them in the long run: few of an easy
 * batch and many of a hard one, which {@link topK} cannot do. It may be none: then nothing is learned from that batch. The smallest of
 * the recent losses has chance 0, so give a `minProbability` where no row is to be forgotten. Without a trainer that hands over
 * `context.memory`, a batch is compared with itself.
 *
 * @param options  `power`, > 0 (the paper's experiments: 1 to 3); `historyLength`, an integer ≥ 1, default 1024; `minProbability`, in [0, 1], default 0;
 *   `seed`, default 0.
 * @returns a selector, `float32[B]` → `{indices: int32[B], weights: float32[B]}`: the kept rows hardest first with weight 1, then the others
 *   with 0. Its `remember` gives the losses to compare the next batch with, `float32[≤ historyLength]`.
 * @throws RangeError if an option is out of range (when the selector is built); TypeError if `losses` is not `[B]` or `context.memory` not a
 *   list of losses (when it is called).
 *
 * @example
 * const some = percentileSampling({power: 1, minProbability: 1});   // every row
 * const losses = tf.tensor1d([0.1, 0.9, 0.3]);
 * some(losses).indices.dataSync();   // Int32Array [1, 2, 0]
 * some.remember?.(losses, {memory: tf.tensor1d([0.5])}).dataSync();   // Float32Array [0.1, 0.9, 0.3, 0.5]
 *
 * @see Jiang et al., Accelerating Deep Learning by Focusing on the Biggest Losers, 2019, §3 (arXiv:1910.00762)
 */
export function percentileSampling(options: PercentileSamplingOptions = {} as PercentileSamplingOptions): Selector {
  checkOptionNames(NAME, options, ['power', 'historyLength', 'minProbability', 'seed']);
  const {power, historyLength = 1024, minProbability = 0, seed = 0} = options;
  checkFinitePositive(NAME, 'power', power);
  checkCount(NAME, 'historyLength', historyLength);
  checkClosedUnitInterval(NAME, 'minProbability', minProbability);
  // u < F^power, but with the root taken of u, on the host, so that every backend draws the same.
  const threshold = (uniform: number) => (uniform < minProbability ? -1 : uniform ** (1 / power));
  const remember = (losses: Tensor1D, context: SelectionContext = {}) =>
    tidy(() => historyOf(losses, context, historyLength));

  const select: Selector = (losses, context = {}) =>
    tidy(() => {
      const rows = selectable(NAME, losses, context);
      const share = shareBelow(losses, historyOf(losses, context, historyLength));
      const isDrawn = less(noise(losses.size, seed, context, threshold), share);
      return keepLargest(rankable(losses, logicalAnd(rows, isDrawn)), {k: losses.size});
    });
  return Object.assign(select, {remember});
}

/** The losses of this batch and, after them, those of earlier ones; NaN for rows that may not be selected. */
function historyOf(losses: Tensor1D, context: SelectionContext, length: number): Tensor1D {
  const {memory} = context;
  const ofBatch = chooseEach(selectable(NAME, losses, context), losses, fill(losses.shape, Number.NaN)) as Tensor1D;
  if (memory !== undefined && memory?.rank !== 1) {
    throw typeError(NAME, 'memory', 'be what remember() gave for the batch before', memory);
  }
  const all = memory === undefined ? ofBatch : concat([ofBatch, memory]);
  return slice(all, 0, Math.min(length, all.size));
}

/** The share of the history that is below each loss. Not one by one, which would be B × H comparisons: sorted, then looked up. */
function shareBelow(losses: Tensor1D, history: Tensor1D): Tensor1D {
  const counted = isFiniteTensor(history);
  const size = cast(sum(cast(counted, 'int32')), 'float32');
  const rising = neg(descending(rankable(history, counted)).values);
  const notBelow = reshape(searchSorted(rising, neg(losses), 'right'), losses.shape);
  return div(sub(size, notBelow), maximum(size, 1));
}
