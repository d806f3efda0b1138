import {mul, neg, step, sub, type Tensor2D} from '@tensorflow/tfjs-core';
import {checkOneOf, rangeError} from '../checks';
import type {DistanceOptions} from './distances';
import {anyOf, extremes, type Hardness} from './extremes';
import {checkMinerOptions, miner} from './miner';
import type {Miner, Pairs, Triplets} from './mining';
import type {PairBatch} from './pairBatch';
import {atColumns} from './pairMasks';

const NAME = 'batchEasyHard';

export interface BatchEasyHardOptions extends DistanceOptions {
  /** Positive to mine for each anchor. Default `'easy'`, the nearest. */
  positive?: 'easy' | 'semihard' | 'hard' | 'all';
  /** Negative to mine for each anchor. Default `'semihard'`: the nearest beyond the positive. */
  negative?: 'easy' | 'semihard' | 'hard' | 'all';
  /** Range of distances, or similarities, of positives, bounds included. Default: any. */
  positiveRange?: readonly [number, number];
  /** Range of distances, or similarities, of negatives, bounds included. Default: any. */
  negativeRange?: readonly [number, number];
}

const KINDS = ['easy', 'semihard', 'hard', 'all'] as const;

/**
 * Mines an easy, hard or semi-hard positive of each anchor, and a negative likewise.
 *
 *     positive: easy = argmin_S d, hard = argmax_S d, semihard = argmax {d_ap : d_ap < d_an}
 *     negative: easy = argmax_N d, hard = argmin_N d, semihard = argmin {d_an : d_an > d_ap}
 *
 * With `'all'` on one side, the miner returns pairs, and chooses the other side independently. An
 * anchor without a matching positive or negative has no triplet.
 *
 * @param options  `positive`, `negative`, `positiveRange`, `negativeRange`; `distance`, `normalize`
 *   (default: those of the loss).
 * @returns a miner, `(float32[B, D], int32[B])` → triplets of shape `[B, 1]`, or with `'all'` pairs
 *   of shape `[B, B]`.
 * @throws RangeError or TypeError for a wrong option, also for `'semihard'` combined with
 *   `'semihard'` or `'all'`; TypeError if the shapes do not fit.
 *
 * @example
 * const mine = batchEasyHard({positive: 'easy', negative: 'hard'});
 * const {positive} = mine(tf.tensor2d([[1, 0], [0, 1], [1, 1]]), tf.tensor1d([0, 0, 0], 'int32'));
 * positive.dataSync();   // Int32Array [2, 2, 0]
 *
 * @see Xuan, Stylianou, Pless, Improved Embeddings with Easy Positive Triplet Mining, 2020
 *   (arXiv:1904.04370)
 */
export function batchEasyHard(options: BatchEasyHardOptions = {}): Miner {
  checkMinerOptions(NAME, options, ['positive', 'negative', 'positiveRange', 'negativeRange']);
  const {positive = 'easy', negative = 'semihard'} = options;
  checkOneOf(NAME, 'positive', positive, KINDS);
  checkOneOf(NAME, 'negative', negative, KINDS);
  const isRelative = (kind: string) => kind === 'semihard' || kind === 'all';
  if ((positive === 'semihard' && isRelative(negative)) || (negative === 'semihard' && isRelative(positive))) {
    const remedy = 'A semi-hard example is chosen relative to the other side.';
    throw rangeError(NAME, 'negative', `be easy or hard beside positive: '${positive}'`, `'${negative}'`, remedy);
  }
  const {positiveRange, negativeRange} = options;
  checkRange('positiveRange', positiveRange);
  checkRange('negativeRange', negativeRange);
  return miner(NAME, options, (batch) => {
    const positives = within(batch, batch.positives, positiveRange);
    const negatives = within(batch, batch.negatives, negativeRange);
    return chosenFrom({...batch, positives, negatives}, positive, negative);
  });
}

function checkRange(argument: string, range: readonly [number, number] | undefined): void {
  if (range === undefined) return;
  const isRange = Array.isArray(range) && range.length === 2 && range.every((bound) => typeof bound === 'number');
  if (!isRange || !(range[0] <= range[1])) throw rangeError(NAME, argument, 'be [smallest, largest]', range);
}

/** Keeps the masked columns whose distance, or similarity, is in a range. */
function within(
  {distances, space}: PairBatch,
  marks: Tensor2D,
  range: readonly [number, number] | undefined,
): Tensor2D {
  if (range === undefined) return marks;
  const values = space.isSimilarity ? neg(distances) : distances;
  const isIn = mul(sub(1, step(sub(range[0], values))), sub(1, step(sub(values, range[1]))));
  return mul(marks, isIn);
}

function chosenFrom(batch: PairBatch, positive: Hardness | 'all', negative: Hardness | 'all'): Triplets | Pairs {
  if (positive !== 'all' && negative !== 'all') return extremes(batch, positive, negative);
  const {positives, negatives, distances} = batch;
  const one = extremes(batch, positive === 'all' ? 'hard' : positive, negative === 'all' ? 'hard' : negative);
  const of = (place: Triplets['positive'], marks: Pairs['positives']) =>
    atColumns(place, anyOf(marks), distances.shape[1]);
  return {
    positives: positive === 'all' ? mul(positives, 1) : of(one.positive, positives),
    negatives: negative === 'all' ? mul(negatives, 1) : of(one.negative, negatives),
  };
}
