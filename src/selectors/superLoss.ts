import {
  add,
  cast,
  where as chooseEach,
  div,
  fill,
  greater,
  isFinite as isFiniteTensor,
  maximum,
  mul,
  reshape,
  sub,
  sum,
  type Tensor1D,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {
  checkFinitePositive,
  checkFloat32,
  checkFloat32Positive,
  checkOptionNames,
  checkRatio,
  rangeError,
} from '../checks';
import type {Selector} from '../types';
import {expOfMinusW} from './lambertW';
import {type Batch, selector} from './selector';
import {checkedMemory, weighAll} from './weighing';

const NAME = 'superLoss';

export interface SuperLossOptions {
  /**
   * Loss at which a row has weight 1: a finite number, such as `Math.log(C)` for the cross-entropy
   * of `C` classes, or `'ema'`, the moving mean of the losses. Default `'ema'`.
   */
  tau?: number | 'ema';
  /** Closeness of the weights to 1, a finite number > 0. Default 1. */
  lambda?: number;
  /** Share of the latest batch in the moving mean, in (0, 1]. Default 0.1. */
  momentum?: number;
}

/**
 * Keeps every example, and weights easy ones up and hard ones down.
 *
 *     w_i = exp(−W(½ · max(β_i, −2/e))),    β_i = (l_i − τ) / λ,    W the Lambert W function
 *     τ ← τ + momentum · (mean l − τ),  first the mean of the first batch, for tau 'ema'
 *
 * The weights σ of SuperLoss, from e for easy rows over 1 at τ towards 0 for hard ones: a
 * curriculum without difficulty labels, for data with wrong labels. Weights suffice, because the
 * derivative of the paper's loss, (l − τ) σ + λ (log σ)², by l is σ itself. With
 * `reduction: 'batchMean'` a step has the paper's gradient; `'mean'` divides by the sum of the
 * weights.
 *
 * @param options  `tau` (default `'ema'`); `lambda`, 1 in the paper for CIFAR-10 and 0.25 for
 *   CIFAR-100 (default 1); `momentum` (default 0.1).
 * @returns a selector, `float32[B]` → `{indices: int32[B], weights: float32[B]}`, hardest first.
 *   For tau `'ema'` its `remember` returns τ, `float32[1]`, for `context.memory`.
 * @throws RangeError or TypeError for a wrong option; TypeError if `losses` is not `float32[B]`,
 *   or, for tau `'ema'`, if `context.memory` is neither null nor a result of `remember`.
 *
 * @example
 * const {indices, weights} = superLoss({tau: Math.log(10)})(tf.tensor1d([0.5, 6, Math.log(10)]));
 * indices.dataSync();   // Int32Array [1, 2, 0]
 * weights.dataSync();   // Float32Array [0.441834, 1, 2.718282]
 *
 * @see Castells, Weinzaepfel & Revaud, SuperLoss, NeurIPS 2020
 */
export function superLoss(options: SuperLossOptions = {}): Selector {
  checkOptionNames(NAME, options, ['tau', 'lambda', 'momentum']);
  const {tau = 'ema', lambda = 1, momentum = 0.1} = options;
  if (tau !== 'ema' && !Number.isFinite(tau)) {
    throw rangeError(NAME, 'tau', "be a finite number or 'ema'", tau, 'For C classes pass Math.log(C).');
  }
  if (tau !== 'ema') checkFloat32(NAME, 'tau', tau);
  checkFinitePositive(NAME, 'lambda', lambda);
  checkFloat32Positive(NAME, 'lambda', lambda);
  checkRatio(NAME, 'momentum', momentum);
  const weigh = (batch: Batch, middle: Tensor1D | number) => {
    const {x, distance} = branchOf(batch.losses, middle, lambda);
    return weighAll(batch, expOfMinusW(maximum(x, -1 / Math.E), distance));
  };
  if (tau !== 'ema') return selector(NAME, (batch) => weigh(batch, tau));
  const mean = (batch: Batch) => movingMean(batch, momentum);
  return selector(NAME, (batch) => weigh(batch, mean(batch)), mean);
}

/**
 * Computes x = (l − τ) / 2λ and its distance x + 1 / e from the branch point of W.
 *
 * Near the branch point W varies with the root of the distance. The rounding error of l − τ would
 * show there, so it is carried along.
 */
function branchOf(losses: Tensor1D, middle: Tensor1D | number, lambda: number): {x: Tensor1D; distance: Tensor1D} {
  const tau = typeof middle === 'number' ? Math.fround(middle) : middle;
  const ofTau = typeof middle === 'number' ? middle - Math.fround(middle) : 0;
  const difference = sub(losses, tau);
  // Knuth's error term of a difference, exact in float32.
  const back = sub(difference, losses);
  const lost = sub(sub(losses, sub(difference, back)), add(tau, back));
  const rest = sub(lost, ofTau);
  const atBranch = (2 * lambda) / Math.E;
  const high = Math.fround(atBranch);
  const distance = add(add(difference, high), add(rest, atBranch - high));
  return {
    x: div(add(difference, rest), 2 * lambda) as Tensor1D,
    distance: div(distance, 2 * lambda) as Tensor1D,
  };
}

/** Moves the mean towards that of the selectable rows, `float32[1]`; NaN before there are any. */
function movingMean(batch: Batch, momentum: number): Tensor1D {
  const {losses, rows} = batch;
  const memory = checkedMemory(NAME, batch, 1);
  const count = reshape(sum(cast(rows, 'float32')), [1]);
  const total = reshape(sum(chooseEach(rows, losses, zerosLike(losses))), [1]);
  const before = memory ?? fill([1], Number.NaN);
  const mean = div(total, maximum(count, 1)) as Tensor1D;
  const moved = add(before, mul(sub(mean, before), momentum));
  const latest = chooseEach(isFiniteTensor(before), moved, mean);
  return chooseEach(greater(count, 0), latest, before) as Tensor1D;
}
