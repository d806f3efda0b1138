import {div, maximum, mul, reshape, sub, sum, type Tensor1D, type Tensor2D} from '@tensorflow/tfjs-core';
import {checkFinitePositive, checkOptionNames} from '../checks';
import type {PerSampleLoss} from '../types';
import {spaceOf} from './distances';
import {anyOf} from './extremes';
import {checkMiner} from './miner';
import {PAIR_LOSS_OPTIONS, type PairLossOptions, pairLoss} from './pairLoss';
import {logSumOf, pairsOf} from './pairTerms';
import {byAnchor} from './tripletSlopes';

const NAME = 'supervisedContrastive';

export interface SupervisedContrastiveOptions extends PairLossOptions {
  /** Divisor of similarities; a finite number > 0. Default 0.1. */
  temperature?: number;
}

/**
 * Computes the supervised contrastive loss: positives against all other rows.
 *
 *     l_a = mean_{p ∈ S} −log(exp(s_ap / T) / Σ_{S ∪ N} exp(s_aj / T))
 *
 * For a distance `s = −d`. An anchor without a positive or a negative has loss 0; if its label has
 * none, it counts in no mean.
 *
 * @param options  `temperature`, `mine` (default: all pairs), `memory`; `distance` (default
 *   `'cosine'`), `normalize`.
 * @returns a loss, `(int32[B], float32[B, D]) → float32[B]`, in nats.
 * @throws RangeError or TypeError for a wrong option (when it is built); TypeError if `yTrue` is
 *   not `int32[B]` or `yPred` not `float32[B, D]` (when it is called).
 *
 * @example
 * const loss = supervisedContrastive({temperature: 1});
 * loss(tf.tensor1d([0, 0, 1], 'int32'), tf.tensor2d([[1, 0], [1, 0], [0, 1]])).dataSync();   // Float32Array [0.313262, 0.313262, 0]
 *
 * @see Khosla et al., Supervised Contrastive Learning, 2020, eq. 2 (arXiv:2004.11362)
 */
export function supervisedContrastive(options: SupervisedContrastiveOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['temperature', ...PAIR_LOSS_OPTIONS]);
  const {temperature = 0.1, mine, memory} = options;
  checkFinitePositive(NAME, 'temperature', temperature);
  if (mine !== undefined) checkMiner(NAME, mine);
  const space = spaceOf(NAME, options, 'cosine');
  return pairLoss(NAME, {space, mine, memory, needsBoth: true}, (mined, {distances}) => {
    const {positives, negatives} = pairsOf(mined, distances.shape[1]);
    const counts = mul(anyOf(positives), anyOf(negatives));
    const logits = mul(distances, -1 / temperature) as Tensor2D;
    const all = logSumOf(logits, maximum(positives, negatives));
    const share = div(positives, maximum(sum(positives, 1, true), 1));
    // If all columns are masked, the logarithm is as low as −1e38.
    const losses = mul(sub(mul(all.value, counts), sum(mul(logits, share), 1, true)), counts);
    const slopes = mul(sub(share, all.shares), counts);
    return byAnchor(reshape(losses, [-1]) as Tensor1D, mul(slopes, 1 / temperature) as Tensor2D);
  });
}
