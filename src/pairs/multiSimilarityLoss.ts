import {add, mul, reshape, sub, type Tensor1D, type Tensor2D} from '@tensorflow/tfjs-core';
import {checkFinite, checkFinitePositive, checkOptionNames} from '../checks';
import type {PerSampleLoss} from '../types';
import {spaceOf} from './distances';
import {checkMiner} from './miner';
import {PAIR_LOSS_OPTIONS, type PairLossOptions, pairLoss} from './pairLoss';
import {logSumOf, pairsOf} from './pairTerms';
import {byAnchor} from './tripletSlopes';

const NAME = 'multiSimilarityLoss';

export interface MultiSimilarityLossOptions extends PairLossOptions {
  /** Concentration on the least similar positives; a finite number > 0. Default 2. */
  alpha?: number;
  /** Concentration on the most similar negatives; a finite number > 0. Default 50. */
  beta?: number;
  /** Similarity λ, or distance, that separates positives from negatives. Default 0.5. */
  base?: number;
}

/**
 * Computes the multi-similarity loss, which weights pairs by similarity, absolute and relative.
 *
 *     l_a = (1/α) log(1 + Σ_S exp(−α (s_ap − λ))) + (1/β) log(1 + Σ_N exp(β (s_an − λ)))
 *
 * For a distance `s − λ = λ − d`. A side without pairs contributes 0. An anchor whose label has
 * neither positive nor negative counts in no mean.
 *
 * @param options  `alpha`, `beta`, `base`, `mine` (default: all pairs; the paper uses
 *   `multiSimilarity()`), `memory`; `distance` (default `'cosine'`), `normalize`.
 * @returns a loss, `(int32[B], float32[B, D]) → float32[B]`.
 * @throws RangeError or TypeError for a wrong option (when it is built); TypeError if `yTrue` is
 *   not `int32[B]` or `yPred` not `float32[B, D]` (when it is called).
 *
 * @example
 * const loss = multiSimilarityLoss({mine: multiSimilarity()});
 * loss(tf.tensor1d([0, 0, 1], 'int32'), tf.tensor2d([[1, 0], [0, 1], [0, 2]])).dataSync();   // Float32Array [0.656631, 1.156631, 0]
 *
 * @see Wang et al., Multi-Similarity Loss, 2019, §3.3 (arXiv:1904.06627)
 */
export function multiSimilarityLoss(options: MultiSimilarityLossOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['alpha', 'beta', 'base', ...PAIR_LOSS_OPTIONS]);
  const {alpha = 2, beta = 50, base = 0.5, mine, memory} = options;
  checkFinitePositive(NAME, 'alpha', alpha);
  checkFinitePositive(NAME, 'beta', beta);
  checkFinite(NAME, 'base', base);
  if (mine !== undefined) checkMiner(NAME, mine);
  const space = spaceOf(NAME, options, 'cosine');
  const threshold = space.isSimilarity ? -base : base;
  return pairLoss(NAME, {space, mine, memory, needsBoth: false}, (mined, {distances}) => {
    const {positives, negatives} = pairsOf(mined, distances.shape[1]);
    const beyond = sub(distances, threshold);
    const pull = logSumOf(mul(beyond, alpha), positives, true);
    const push = logSumOf(mul(beyond, -beta), negatives, true);
    const losses = add(mul(pull.value, 1 / alpha), mul(push.value, 1 / beta));
    return byAnchor(reshape(losses, [-1]) as Tensor1D, sub(pull.shares, push.shares) as Tensor2D);
  });
}
