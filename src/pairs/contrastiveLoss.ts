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
  /** Positives nearer than this count nothing. Default 0; of a similarity 1. */
  positiveMargin?: number;
  /** Negatives farther than this count nothing. Default 1; of a similarity 0. */
  negativeMargin?: number;
  /** How the pairs of one anchor become its number, those with positives and those with negatives. Default `'mean'`. */
  perAnchor?: PerAnchor;
}

/**
 * Pulls positives together, and pushes negatives apart up to a distance.
 *
 *     l_a = mean_S max(0, d_ap − positiveMargin) + mean_N max(0, negativeMargin − d_an)
 *
 * Of a similarity: `max(0, positiveMargin − s_ap)` and `max(0, s_an − negativeMargin)`. A side without
 * pairs is 0. By labels alone, an anchor with neither positive nor negative counts in no mean.
 *
 * @param options  `positiveMargin`, `negativeMargin`, `perAnchor`, `mine` (default: all pairs),
 *   `memory`; `distance` (default `'euclidean'`), `normalize`.
 * @returns a loss, `(int32[B], float32[B, D]) → float32[B]`.
 * @throws RangeError or TypeError for a wrong option (when it is built); TypeError if `yTrue` is not
 *   `int32[B]` or `yPred` not `float32[B, D]` (when it is called).
 *
 * @example
 * const loss = contrastiveLoss({negativeMargin: 3, normalize: false});
 * loss(tf.tensor1d([0, 0, 1], 'int32'), tf.tensor2d([[0], [2], [4]])).dataSync();   // Float32Array [2, 3, 0.5]
 *
 * @see Hadsell, Chopra, LeCun, Dimensionality Reduction by Learning an Invariant Mapping, 2006, §2.1
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

/** Averages `max(0, x)` over the marked columns, with the slope by each `x`. */
function meanOver(excess: Tensor, marks: Tensor2D, perAnchor: PerAnchor): {losses: Tensor1D; slopes: Tensor2D} {
  const active = mul(step(excess), marks);
  const counted = perAnchor === 'meanNonZero' ? active : marks;
  const count = sum(counted, 1, true);
  const share =
    perAnchor === 'sum' ? expandDims(add(mul(sum(marks, 1), 0), 1), 1) : div(1, add(count, sub(1, step(count))));
  const losses = mul(sum(mul(relu(excess), marks), 1, true), share);
  return {losses: reshape(losses, [-1]) as Tensor1D, slopes: mul(active, share) as Tensor2D};
}
