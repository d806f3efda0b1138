import {
  add,
  div,
  expandDims,
  mul,
  relu,
  reshape,
  step,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import {checkFinite, checkNotNegative, checkOptionNames} from '../checks';
import type {PerSampleLoss} from '../types';
import {spaceOf} from './distances';
import {checkMiner} from './miner';
import {checkPerAnchor, PAIR_LOSS_OPTIONS, type PairLossOptions, pairLoss} from './pairLoss';
import {pairsOf} from './pairTerms';
import {byAnchor, type PerAnchor} from './tripletSlopes';

const NAME = 'contrastiveLoss';

export interface ContrastiveLossOptions extends PairLossOptions {
  /** Distance up to which positives have no loss. Default 0; for a similarity 1. */
  positiveMargin?: number;
  /** Distance from which negatives have no loss. Default 1; for a similarity 0. */
  negativeMargin?: number;
  /** Reduction over the pairs of an anchor, separately for each side. Default `'mean'`. */
  perAnchor?: PerAnchor;
}

/**
 * Computes the contrastive loss: pulls positives together and pushes negatives apart.
 *
 *     l_a = mean_S max(0, d_ap − positiveMargin) + mean_N max(0, negativeMargin − d_an)
 *
 * For a similarity the terms are `max(0, positiveMargin − s_ap)` and
 * `max(0, s_an − negativeMargin)`. A side without pairs contributes 0. An anchor whose label has
 * neither positive nor negative counts in no mean.
 *
 * @param options  `positiveMargin`, `negativeMargin`, `perAnchor`, `mine` (default: all pairs),
 *   `memory`; `distance` (default `'euclidean'`), `normalize`.
 * @returns a loss, `(int32[B], float32[B, D]) → float32[B]`.
 * @throws RangeError or TypeError for a wrong option (when it is built); TypeError if `yTrue` is
 *   not `int32[B]` or `yPred` not `float32[B, D]` (when it is called).
 *
 * @example
 * const loss = contrastiveLoss({negativeMargin: 3, normalize: false});
 * loss(tf.tensor1d([0, 0, 1], 'int32'), tf.tensor2d([[0], [2], [4]])).dataSync();   // Float32Array [2, 3, 0.5]
 *
 * @see Hadsell, Chopra, LeCun, Dimensionality Reduction by Learning an Invariant Mapping, 2006,
 *   §2.1
 */
export function contrastiveLoss(options: ContrastiveLossOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['positiveMargin', 'negativeMargin', 'perAnchor', ...PAIR_LOSS_OPTIONS]);
  const space = spaceOf(NAME, options, 'euclidean');
  const {isSimilarity} = space;
  const {positiveMargin = isSimilarity ? 1 : 0, negativeMargin = isSimilarity ? 0 : 1} = options;
  const {perAnchor = 'mean', mine, memory} = options;
  const check = isSimilarity ? checkFinite : checkNotNegative;
  check(NAME, 'positiveMargin', positiveMargin);
  check(NAME, 'negativeMargin', negativeMargin);
  checkPerAnchor(NAME, perAnchor);
  if (mine !== undefined) checkMiner(NAME, mine);
  const sign = isSimilarity ? -1 : 1;
  return pairLoss(NAME, {space, mine, memory, needsBoth: false}, (mined, {distances}) => {
    const {positives, negatives} = pairsOf(mined, distances.shape[1]);
    const pull = meanOver(sub(distances, sign * positiveMargin), positives, perAnchor);
    const push = meanOver(sub(sign * negativeMargin, distances), negatives, perAnchor);
    return byAnchor(add(pull.losses, push.losses), sub(pull.slopes, push.slopes));
  });
}

/** Averages `max(0, x)` over the masked columns, and computes the slope by each `x`. */
function meanOver(excess: Tensor, marks: Tensor2D, perAnchor: PerAnchor): {losses: Tensor1D; slopes: Tensor2D} {
  const active = mul(step(excess), marks);
  const counted = perAnchor === 'meanNonZero' ? active : marks;
  const count = sum(counted, 1, true);
  const share =
    perAnchor === 'sum' ? expandDims(add(mul(sum(marks, 1), 0), 1), 1) : div(1, add(count, sub(1, step(count))));
  const losses = mul(sum(mul(relu(excess), marks), 1, true), share);
  return {losses: reshape(losses, [-1]) as Tensor1D, slopes: mul(active, share) as Tensor2D};
}
