import {mul, neg, step, sub, type Tensor} from '@tensorflow/tfjs-core';
import {checkFinite, checkOneOf} from '../checks';
import type {DistanceOptions} from './distances';
import {checkMinerOptions, miner} from './miner';
import type {Miner} from './mining';

const NAME = 'tripletMargin';

export interface TripletMarginOptions extends DistanceOptions {
  /** Distance by which the negative must be farther. Default 0.2. */
  margin?: number;
  /** Kind of triplets to mine. Default `'all'` that violate the margin. */
  type?: 'all' | 'hard' | 'semihard' | 'easy';
}

/**
 * Mines all triplets of a batch whose gap `g = d_an − d_ap` is of one kind.
 *
 *     all: g ≤ margin,    hard: g ≤ 0,    semihard: 0 < g ≤ margin,    easy: g > margin
 *
 * A loss evaluates the triplets of some anchors at a time, so memory never holds `B³` numbers.
 *
 * @param options  `margin`, `type`; `distance`, `normalize` (default: those of the loss).
 * @returns a miner, `(float32[B, D], int32[B])` → pairs of shape `[B, B]`, with the rule in
 *   `triplets`.
 * @throws RangeError or TypeError for a wrong option; TypeError if the shapes do not fit.
 *
 * @example
 * const mine = tripletMargin({type: 'semihard', margin: 1, normalize: false});
 * const loss = tripletLoss({mine, margin: 1, normalize: false});
 * loss(tf.tensor1d([0, 0, 1], 'int32'), tf.tensor2d([[0], [2], [2.5]])).dataSync();   // Float32Array [0.5, 0, 0]
 */
export function tripletMargin(options: TripletMarginOptions = {}): Miner {
  checkMinerOptions(NAME, options, ['margin', 'type']);
  const {margin = 0.2, type = 'all'} = options;
  checkFinite(NAME, 'margin', margin);
  checkOneOf(NAME, 'type', type, ['all', 'hard', 'semihard', 'easy']);
  const isAbove = (gap: Tensor, bound: number) => step(sub(gap, bound));
  const isUpTo = (gap: Tensor, bound: number) => sub(1, isAbove(gap, bound));
  const kinds = {
    all: (gap: Tensor) => isUpTo(gap, margin),
    hard: (gap: Tensor) => isUpTo(gap, 0),
    semihard: (gap: Tensor) => mul(isAbove(gap, 0), isUpTo(gap, margin)),
    easy: (gap: Tensor) => isAbove(gap, margin),
  };
  return miner(NAME, options, ({distances, positives, negatives}) => ({
    positives: mul(positives, 1),
    negatives: mul(negatives, 1),
    triplets: {
      distances: neg(neg(distances)),
      keeps: (ofPositive, ofNegative) => kinds[type](sub(ofNegative, ofPositive)),
    },
  }));
}
