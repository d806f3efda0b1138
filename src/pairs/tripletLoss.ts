import {checkBoolean, checkNotNegative, checkOptionNames, typeError} from '../checks';
import type {PerSampleLoss} from '../types';
import {spaceOf} from './distances';
import {checkMiner} from './miner';
import {checkPerAnchor, PAIR_LOSS_OPTIONS, type PairLossOptions, pairLoss} from './pairLoss';
import {semiHard} from './semiHard';
import {judgeTriplets, type PerAnchor} from './tripletSlopes';

const NAME = 'tripletLoss';

export interface TripletLossOptions extends PairLossOptions {
  /** Distance by which the negative must be farther than the positive; ≥ 0. Default 0.2. */
  margin?: number;
  /** Replaces `max(0, x)` by `log(1 + eˣ)`, which is never 0. Default false. */
  soft?: boolean;
  /** Whether to use the distance of positive and negative if it is smaller. Default false. */
  swap?: boolean;
  /** Reduction over the triplets of an anchor. Default `'mean'`. */
  perAnchor?: PerAnchor;
}

/**
 * Computes the triplet loss: positives must be nearer than negatives by a margin.
 *
 *     l_a = mean_{(a, p, n)} max(0, d_ap − d_an + margin)
 *
 * over the triplets that the miner returns; 0 for an anchor without one. An anchor whose label has
 * no positive or no negative counts in no mean (`loss.valid`). A row that is not finite, or has no
 * label, is never a positive or negative, and its loss is NaN.
 *
 * Miners such as `semiHard` return several triplets per anchor. PyTorch Metric Learning weights all
 * triplets equally, this loss all anchors; in batches of `pkBatches` there is no difference.
 *
 * @param options  `mine` (default `semiHard()`), `margin`, `soft`, `swap`, `perAnchor`, `memory`;
 *   `distance` (default `'euclidean'`), `normalize`.
 * @returns a loss, `(int32[B], float32[B, D]) → float32[B]`.
 * @throws RangeError or TypeError for a wrong option (when it is built); TypeError if `yTrue` is
 *   not `int32[B]` or `yPred` not `float32[B, D]` (when it is called).
 *
 * @example
 * const loss = tripletLoss({mine: batchHard(), margin: 1, normalize: false});
 * loss(tf.tensor1d([0, 0, 1], 'int32'), tf.tensor2d([[0], [2], [2.5]])).dataSync();   // Float32Array [0.5, 2.5, 0]
 *
 * @see Schroff, Kalenichenko, Philbin, FaceNet, 2015, §3.1 (arXiv:1503.03832)
 */
export function tripletLoss(options: TripletLossOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['margin', 'soft', 'swap', 'perAnchor', ...PAIR_LOSS_OPTIONS]);
  const {mine = semiHard(), margin = 0.2, soft = false, swap = false, perAnchor = 'mean', memory} = options;
  checkMiner(NAME, mine);
  checkNotNegative(NAME, 'margin', margin);
  checkBoolean(NAME, 'soft', soft);
  checkBoolean(NAME, 'swap', swap);
  checkPerAnchor(NAME, perAnchor);
  if (swap && memory) {
    throw typeError(NAME, 'swap', 'be false with a memory', swap, 'Rows of a memory are compared with anchors only.');
  }
  const space = spaceOf(NAME, options, 'euclidean');
  const terms = {margin, soft, swap, perAnchor};
  const loss = pairLoss(NAME, {space, mine, memory, needsBoth: true}, (mined, {distances}) =>
    judgeTriplets(mined, distances, terms),
  );
  // The sum over the triplets of an anchor depends on their number.
  if (perAnchor !== 'sum') loss.atPoint = soft ? Math.log1p(Math.exp(margin)) : margin;
  return loss;
}
