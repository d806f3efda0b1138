import {
  add,
  concat,
  div,
  exp,
  expandDims,
  log,
  logSumExp,
  matMul,
  maximum,
  mean,
  minimum,
  mul,
  neg,
  range,
  reshape,
  slice,
  softplus,
  step,
  sub,
  sum,
  type Tensor1D,
  type Tensor2D,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import {checkFinitePositive, checkNotNegative, checkOptionNames, checkUnitInterval} from '../checks';
import {offTape} from '../engine';
import type {TowerLoss} from './inBatchSoftmax';
import {FAR} from './pairBatch';
import {checkTowers, knownOnly, towerOf, towerSpace} from './towers';

const NAME = 'hardContrastive';

export interface HardContrastiveOptions {
  /** Divisor of similarities; a finite number > 0. Default 0.5. */
  temperature?: number;
  /** Concentration on the hardest negatives; a finite number ≥ 0, 0 = equal weights. Default 1. */
  beta?: number;
  /** Share of negatives that have the class of the anchor, in [0, 1). Default 0.1. */
  tauPlus?: number;
}

/**
 * Builds a contrastive loss of two views that weights hard negatives and corrects false ones.
 *
 *     l = −log(e⁺ / (e⁺ + G)),    e_j = exp(s_j / T),    R = Σ_j e_j^β e_j / mean_j e_j^β
 *     G = max((R − τ⁺ · N · e⁺) / (1 − τ⁺), N · e^(−1/T))
 *
 * The outputs are two views of the same `B` rows, `float32[B, D]`, compared by cosine. The
 * negatives of a view are the `N = 2B − 2` views of other rows, and the loss of a row is the mean
 * over its two views. A row with a view that is not finite has loss NaN and is a negative of no
 * other row. With `beta: 0` and `tauPlus: 0` this is the SimCLR loss.
 *
 * @param options  `temperature`, `beta`, `tauPlus`.
 * @returns a function of targets, which it ignores, and outputs → `float32[B]`, for `jointLoss`.
 * @throws RangeError or TypeError for a wrong option (when it is built), or if the outputs are not
 *   two `float32[B, D]` (when it is called).
 *
 * @example
 * const loss = hardContrastive({temperature: 1, beta: 0, tauPlus: 0});
 * const views = tf.tensor2d([[1, 0], [0, 1]]);
 * loss([], [views, views]).dataSync();   // Float32Array [0.551445, 0.551445]
 *
 * @see Robinson et al., Contrastive Learning with Hard Negative Samples, 2021, §3.2
 *   (arXiv:2010.04592)
 */
export function hardContrastive(options: HardContrastiveOptions = {}): TowerLoss {
  checkOptionNames(NAME, options, ['temperature', 'beta', 'tauPlus']);
  const {temperature = 0.5, beta = 1, tauPlus = 0.1} = options;
  checkFinitePositive(NAME, 'temperature', temperature);
  checkNotNegative(NAME, 'beta', beta);
  checkUnitInterval(NAME, 'tauPlus', tauPlus);
  const space = towerSpace(NAME, 'cosine');
  const loss: TowerLoss = (_, predictions) =>
    tidy(() => {
      checkTowers(NAME, 'predictions', predictions, 2);
      const {rows, finite} = towerOf(space, predictions as Tensor2D[]);
      const views = rows.shape[0];
      const {isPair, isNegative, count, known} = offTape(() => partners(finite));
      const logits = div<Tensor2D>(matMul(rows, transpose(rows)), temperature);
      const positive = sum(mul(logits, isPair), 1);
      const away = mul(sub(1, isNegative), -FAR);
      const sharpened = (power: number) => logSumExp(add(mul(logits, power), away), 1);
      // Computes log R − log e⁺, so that small temperatures do not overflow.
      const reweighted = sub(add(sub(sharpened(1 + beta), sharpened(beta)), log(maximum(count, 1))), positive);
      const excess = debiased(reweighted as Tensor1D, count, tauPlus);
      const floor = sub(sub(log(maximum(count, 1)), 1 / temperature), positive);
      const losses = mul(softplus(maximum(excess, floor)), step(count));
      const both = mean(reshape(losses, [2, views / 2]), 0) as Tensor1D;
      return knownOnly(both, known);
    });
  return Object.assign(loss, {skipsNaN: true} as const);
}

/** Bound of exponents: larger ones overflow, and the correction then takes everything anyway. */
const STEEP = 80;

/** Computes `log((e^x − τ N) / (1 − τ))`; about −1e30 if the difference is not positive. */
function debiased(x: Tensor1D, count: Tensor1D, tauPlus: number): Tensor1D {
  if (tauPlus === 0) return x;
  const discounted = sub(1, mul(mul(exp(minimum(neg(x), STEEP)), count), tauPlus));
  const isLeft = step(discounted);
  const safe = add(mul(discounted, isLeft), sub(1, isLeft));
  return sub(add(sub(x, Math.log(1 - tauPlus)), log(safe)), mul(sub(1, isLeft), 1e30));
}

/** Masks the other view of each view, and the views that are its negatives. */
function partners(finite: Tensor2D) {
  const views = finite.shape[0];
  const batchSize = views / 2;
  const known = mul<Tensor2D>(slice(finite, [0, 0], [batchSize, 1]), slice(finite, [batchSize, 0], [batchSize, 1]));
  const knownViews = reshape(concat([known, known]), [1, views]);
  const places = range(0, views);
  const rowOf = reshape(concat([range(0, batchSize), range(0, batchSize)]), [views, 1]);
  const isSame = (one: Tensor2D, other: Tensor2D) => sub(1, step(mul(sub(one, other), sub(one, other))));
  const isRow = isSame(rowOf as Tensor2D, reshape(rowOf, [1, views]));
  const isSelf = isSame(expandDims(places, 1) as Tensor2D, expandDims(places, 0) as Tensor2D);
  const isNegative = mul<Tensor2D>(sub(1, isRow), knownViews);
  return {
    isPair: sub<Tensor2D>(isRow, isSelf),
    isNegative,
    count: sum<Tensor1D>(isNegative, 1),
    known: reshape(known, [batchSize]) as Tensor1D,
  };
}
