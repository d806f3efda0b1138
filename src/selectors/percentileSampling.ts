import {
  cast,
  where as chooseEach,
  concat,
  div,
  fill,
  greaterEqual,
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
} from '@tensorflow/tfjs-core';
import {
  checkClosedUnitInterval,
  checkCount,
  checkFinitePositive,
  checkOptionNames,
  checkSeed,
  typeError,
} from '../checks';
import type {Selector} from '../types';
import {type DrawOptions, noise} from './noise';
import {descending, keepLargest, rankable} from './ranking';
import {type Batch, checkState, selector} from './selector';

const NAME = 'percentileSampling';

export interface PercentileSamplingOptions extends DrawOptions {
  /** Steepness: how fast chances rise with the percentile; > 0. The paper uses 1 to 3. */
  power: number;
  /** Number of recent losses to compare with; an integer ≥ 1. Default 1024. */
  historyLength?: number;
  /** Smallest chance of a row, in [0, 1]. Default 0. */
  minProbability?: number;
}

/**
 * Keeps each example with a chance of its own: a power of its percentile.
 *
 *     P(keep row i) = max(minProbability, F(l_i)^power),
 *     F(l) = share of the last `historyLength` losses < l, those of this batch among them;
 *            ½ if all of them, two or more, are l
 *
 * Selective-Backprop. It keeps few rows of an easy batch and many of a hard one; in the long run
 * about 1 / (power + 1) of them. If it keeps none, the step changes nothing.
 *
 * The smallest of the recent losses has chance 0; a `minProbability` gives every row a chance. If
 * all recent losses are equal, as for a zero-initialised head, each counts as the median, so that
 * training can start.
 *
 * @param options  `power`; `historyLength`; `minProbability`; `seed`.
 * @returns a selector, `float32[B]` → `{indices: int32[B], weights: float32[B]}`: the kept rows
 *   hardest first with weight 1, then the others with 0. Its `remember` returns the recent losses,
 *   `float32[≤ historyLength]`, for `context.memory`.
 * @throws RangeError or TypeError for a wrong option; TypeError if `losses` is not `float32[B]` or
 *   `context.memory` neither null nor a result of `remember`.
 *
 * @example
 * const some = percentileSampling({power: 1, minProbability: 1});   // every row
 * const losses = tf.tensor1d([0.1, 0.9, 0.3]);
 * some(losses, {memory: null}).indices.dataSync();   // Int32Array [1, 2, 0]
 * const memory = tf.tensor1d([0.5]);
 * some.remember?.(losses, {memory}).dataSync();   // Float32Array [0.1, 0.9, 0.3, 0.5]
 *
 * @see Jiang et al., Selective-Backprop, 2019, §3 (arXiv:1910.00762)
 */
export function percentileSampling(options: PercentileSamplingOptions = {} as PercentileSamplingOptions): Selector {
  checkOptionNames(NAME, options, ['power', 'historyLength', 'minProbability', 'seed']);
  const {power, historyLength = 1024, minProbability = 0, seed = 0} = options;
  checkSeed(NAME, seed);
  checkFinitePositive(NAME, 'power', power);
  checkCount(NAME, 'historyLength', historyLength);
  checkClosedUnitInterval(NAME, 'minProbability', minProbability);
  // Equals u < F^power. The root of u is taken on the host, so that every backend draws the same.
  const threshold = (uniform: number) => (uniform < minProbability ? -1 : uniform ** (1 / power));
  const history = (batch: Batch) => historyOf(batch, historyLength);
  const choose = ({losses, rows, context}: Batch) => {
    const share = shareBelow(losses, history({losses, rows, context}), Math.min(2, historyLength));
    const isDrawn = less(noise(losses.size, seed, context, threshold), share);
    return keepLargest(rankable(losses, logicalAnd(rows, isDrawn)), {k: losses.size});
  };
  return selector(NAME, choose, history);
}

/** Lists the losses of this batch, then earlier ones; NaN for rows that may not be selected. */
function historyOf({losses, rows, context: {memory}}: Batch, length: number): Tensor1D {
  checkState(NAME, 'memory', memory, '{memory: null}');
  if (memory !== null && !(memory?.rank === 1 && memory.dtype === 'float32')) {
    throw typeError(NAME, 'memory', 'be null or what remember() returned for the batch before', memory);
  }
  const ofBatch = chooseEach(rows, losses, fill(losses.shape, Number.NaN)) as Tensor1D;
  const all = memory === null ? ofBatch : concat([ofBatch, memory]);
  return slice(all, 0, Math.min(length, all.size));
}

/**
 * Computes the share of the history below each loss, by sorting: comparing pairs needs B × H
 * numbers.
 *
 * The share is ½ if the whole history, of `least` losses or more, equals the loss. With a share of
 * 0 such rows would never be trained on, and so never change.
 */
function shareBelow(losses: Tensor1D, history: Tensor1D, least: number): Tensor1D {
  const counted = isFiniteTensor(history);
  const size = cast(sum(cast(counted, 'int32')), 'float32');
  const rising = neg(descending(rankable(history, counted)).values);
  const placeOf = (side: 'left' | 'right') => reshape(searchSorted(rising, neg(losses), side), losses.shape);
  const [above, notBelow] = [placeOf('left'), placeOf('right')];
  const areAllEqual = greaterEqual(sub(notBelow, above), maximum(size, least));
  const share = div(sub(size, notBelow), maximum(size, 1));
  return chooseEach(areAllEqual, fill(losses.shape, 0.5), share) as Tensor1D;
}
