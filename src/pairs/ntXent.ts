import {
  add,
  div,
  mul,
  reshape,
  sigmoid,
  softplus,
  step,
  sub,
  sum,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import {checkFinitePositive, checkOptionNames} from '../checks';
import type {PerSampleLoss} from '../types';
import {spaceOf} from './distances';
import {anyOf} from './extremes';
import {checkMiner} from './miner';
import {PAIR_LOSS_OPTIONS, type PairLossOptions, pairLoss} from './pairLoss';
import {logSumOf, pairsOf} from './pairTerms';
import {byAnchor} from './tripletSlopes';

const NAME = 'ntXent';

export interface NtXentOptions extends PairLossOptions {
  /** Divisor of similarities; a finite number > 0. Default 0.07. */
  temperature?: number;
}

/**
 * Computes the NT-Xent loss: the negative log-likelihood of each positive among the negatives.
 *
 *     l_a = mean_{p ∈ S} −log(exp(s_ap / T) / (exp(s_ap / T) + Σ_N exp(s_an / T)))
 *
 * The SimCLR loss, and InfoNCE if there is one positive. Unlike {@link supervisedContrastive}, the
 * sum excludes the other positives. For a distance `s = −d`. An anchor without a positive or a
 * negative has loss 0; if its label has none, it counts in no mean.
 *
 * @param options  `temperature`, `mine` (default: all pairs), `memory`; `distance` (default
 *   `'cosine'`), `normalize`.
 * @returns a loss, `(int32[B], float32[B, D]) → float32[B]`, in nats.
 * @throws RangeError or TypeError for a wrong option (when it is built); TypeError if `yTrue` is
 *   not `int32[B]` or `yPred` not `float32[B, D]` (when it is called).
 *
 * @example
 * const loss = ntXent({temperature: 1});
 * loss(tf.tensor1d([0, 0, 1], 'int32'), tf.tensor2d([[1, 0], [1, 0], [0, 1]])).dataSync();   // Float32Array [0.313262, 0.313262, 0]
 *
 * @see Chen et al., A Simple Framework for Contrastive Learning, 2020, §2.1 (arXiv:2002.05709)
 */
export function ntXent(options: NtXentOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['temperature', ...PAIR_LOSS_OPTIONS]);
  const {temperature = 0.07, mine, memory} = options;
  checkFinitePositive(NAME, 'temperature', temperature);
  if (mine !== undefined) checkMiner(NAME, mine);
  const space = spaceOf(NAME, options, 'cosine');
  return pairLoss(NAME, {space, mine, memory, needsBoth: true}, (mined, {distances}) => {
    const pairs = pairsOf(mined, distances.shape[1]);
    const positives = mul(pairs.positives, anyOf(pairs.negatives)) as Tensor2D;
    const logits = mul(distances, -1 / temperature) as Tensor2D;
    const negatives = logSumOf(logits, pairs.negatives);
    const excess = sub(negatives.value, logits);
    const count = sum(positives, 1, true);
    const share = mul(positives, div(1, add(count, sub(1, step(count)))));
    const losses = reshape(sum(mul(softplus(excess), share), 1), [-1]) as Tensor1D;
    const pull = mul(sigmoid(excess), share);
    const slopes = sub(pull, mul(negatives.shares, sum(pull, 1, true)));
    return byAnchor(losses, mul(slopes, 1 / temperature) as Tensor2D);
  });
}
