import {mul, step, sub} from '@tensorflow/tfjs-core';
import {checkFinite} from '../checks';
import type {DistanceOptions} from './distances';
import {checkMinerOptions, miner} from './miner';
import type {Miner} from './mining';

const NAME = 'pairMargin';

export interface PairMarginOptions extends DistanceOptions {
  /** Distance above which positives are mined; for a similarity, below. Default 0.2. */
  positive?: number;
  /** Distance below which negatives are mined; for a similarity, above. Default 0.8. */
  negative?: number;
}

/**
 * Mines the positives beyond one distance and the negatives within another.
 *
 *     d_ap > positive,    d_an < negative;    for a similarity: s_ap < positive, s_an > negative
 *
 * @param options  `positive`, `negative`; `distance`, `normalize` (default: those of the loss).
 * @returns a miner, `(float32[B, D], int32[B])` → pairs of shape `[B, B]`.
 * @throws RangeError or TypeError for a wrong option; TypeError if the shapes do not fit.
 *
 * @example
 * const mine = pairMargin({positive: 1, negative: 3, normalize: false});
 * const {positives, negatives} = mine(tf.tensor2d([[0], [2], [4]]), tf.tensor1d([0, 0, 1], 'int32'));
 * positives.dataSync();   // Float32Array [0, 1, 0, 1, 0, 0, 0, 0, 0]
 * negatives.dataSync();   // Float32Array [0, 0, 0, 0, 0, 1, 0, 1, 0]
 */
export function pairMargin(options: PairMarginOptions = {}): Miner {
  checkMinerOptions(NAME, options, ['positive', 'negative']);
  const {positive = 0.2, negative = 0.8} = options;
  checkFinite(NAME, 'positive', positive);
  checkFinite(NAME, 'negative', negative);
  return miner(NAME, options, ({distances, positives, negatives, space}) => {
    const sign = space.isSimilarity ? -1 : 1;
    return {
      positives: mul(positives, step(sub(distances, sign * positive))),
      negatives: mul(negatives, step(sub(sign * negative, distances))),
    };
  });
}
