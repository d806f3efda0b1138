import type {DistanceOptions} from './distances';
import {extremes} from './extremes';
import {checkMinerOptions, miner} from './miner';
import type {Miner} from './mining';

const NAME = 'batchHard';

/**
 * Mines the farthest positive and the nearest negative of each anchor.
 *
 *     p = argmax_{S} d(a, p),    n = argmin_{N} d(a, n)
 *
 * `S` holds the other rows with the label of the anchor, `N` the rows with another label. An anchor
 * that lacks either has no triplet. A run that starts from random weights may collapse: see
 * `docs/pairs.md`.
 *
 * @param options  `distance`, `normalize`; default: those of the loss, or `'euclidean'` without a
 *   loss.
 * @returns a miner, `(float32[B, D], int32[B])` → triplets of shape `[B, 1]`.
 * @throws RangeError or TypeError for a wrong option; TypeError if the shapes do not fit.
 *
 * @example
 * const mine = batchHard();
 * const {positive, negative} = mine(tf.tensor2d([[1, 0], [0, 1], [1, 1]]), tf.tensor1d([0, 0, 1], 'int32'));
 * positive.dataSync();   // Int32Array [1, 0, 0]
 * negative.dataSync();   // Int32Array [2, 2, 0]
 *
 * @see Hermans, Beyer, Leibe, In Defense of the Triplet Loss, 2017, §2 (arXiv:1703.07737)
 */
export function batchHard(options: DistanceOptions = {}): Miner {
  checkMinerOptions(NAME, options);
  return miner(NAME, options, (batch) => extremes(batch, 'hard', 'hard'));
}
