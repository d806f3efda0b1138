import {add, div, mul, relu, reshape, step, sub, sum, type Tensor1D, type Tensor2D} from '@tensorflow/tfjs-core';
import {checkFinite, checkNotNegative, checkOptionNames} from '../checks';
import type {PerSampleLoss} from '../types';
import {spaceOf} from './distances';
import {distanceWeighted} from './distanceWeighted';
import {checkMiner} from './miner';
import {checkPerAnchor, PAIR_LOSS_OPTIONS, type PairLossOptions, pairLoss} from './pairLoss';
import {countsOf} from './pairTerms';
import {byAnchor, type PerAnchor} from './tripletSlopes';

const NAME = 'marginLoss';

export interface MarginLossOptions extends PairLossOptions {
  /** Distance, or similarity, that separates positives from negatives. Default 1.2. */
  beta?: number;
  /** Distance that both must keep from the boundary; a finite number ≥ 0. Default 0.2. */
  margin?: number;
  /**
   * Reduction over the triplets of an anchor: divides the sum by the number of triplets, by the
   * number of terms above 0, or by 1. Default `'meanNonZero'`.
   */
  perAnchor?: PerAnchor;
}

/**
 * Computes the margin loss: positives within a distance β, negatives beyond it.
 *
 *     l_a = Σ_{(a, p, n)} (max(0, d_ap − β + margin) + max(0, β − d_an + margin)) / terms above 0
 *
 * over the triplets that the miner returns; a pair counts in each of its triplets. For a similarity
 * `d = −s`, and `β` changes its sign.
 *
 * @param options  `beta`, `margin`, `perAnchor`, `mine` (default `distanceWeighted()`), `memory`;
 *   `distance` (default `'euclidean'`), `normalize`.
 * @returns a loss, `(int32[B], float32[B, D]) → float32[B]`.
 * @throws RangeError or TypeError for a wrong option (when it is built); TypeError if `yTrue` is
 *   not `int32[B]` or `yPred` not `float32[B, D]` (when it is called).
 *
 * @example
 * const loss = marginLoss({mine: batchHard(), beta: 2, margin: 1, normalize: false});
 * loss(tf.tensor1d([0, 0, 1], 'int32'), tf.tensor2d([[0], [2], [4]])).dataSync();   // Float32Array [1, 1, 0]
 *
 * @see Wu et al., Sampling Matters in Deep Embedding Learning, 2017, §4.2 (arXiv:1706.07567)
 */
export function marginLoss(options: MarginLossOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['beta', 'margin', 'perAnchor', ...PAIR_LOSS_OPTIONS]);
  const {beta = 1.2, margin = 0.2, perAnchor = 'meanNonZero', mine = distanceWeighted(), memory} = options;
  checkFinite(NAME, 'beta', beta);
  checkNotNegative(NAME, 'margin', margin);
  checkPerAnchor(NAME, perAnchor);
  checkMiner(NAME, mine);
  const space = spaceOf(NAME, options, 'euclidean');
  const border = space.isSimilarity ? -beta : beta;
  return pairLoss(NAME, {space, mine, memory, needsBoth: true}, (mined, {distances}) => {
    const {positives, negatives} = countsOf(mined, distances.shape[1]);
    const tooFar = sub(distances, border - margin);
    const tooNear = sub(border + margin, distances);
    const pull = mul(step(tooFar), positives);
    const push = mul(step(tooNear), negatives);
    const counted = perAnchor === 'meanNonZero' ? add(pull, push) : mul(positives, perAnchor === 'mean' ? 1 : 0);
    const count = sum(counted, 1, true);
    const share = div(1, add(count, sub(1, step(count))));
    const terms = add(mul(relu(tooFar), positives), mul(relu(tooNear), negatives));
    const losses = reshape(mul(sum(terms, 1, true), share), [-1]) as Tensor1D;
    return byAnchor(losses, mul(sub(pull, push), share) as Tensor2D);
  });
}
