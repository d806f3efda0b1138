import {
  where as chooseEach,
  div,
  greater,
  maximum,
  mul,
  type Scalar,
  sum,
  type Tensor1D,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type {Reduction} from '../../types';

export const REDUCTIONS: readonly Reduction[] = ['mean', 'sum', 'batchMean'];

/** Far below any sum of weights: only keeps 0 / 0 at 0. */
const SMALLEST = 1e-37;

/** What each kept row counts in the sum that a reduction is, `float32[K]`: `w / Σ w`, `w`, or `w / B`. */
export function countsOf(weights: Tensor1D, batchSize: number, reduction: Reduction): Tensor1D {
  if (reduction === 'sum') return weights;
  return div(weights, reduction === 'batchMean' ? batchSize : maximum(sum(weights), SMALLEST));
}

/** Reduces the losses `float32[K]` of the kept rows to `float32[]`; a row of weight 0 counts 0, also if its loss is NaN. */
export function reduceKept(losses: Tensor1D, weights: Tensor1D, batchSize: number, reduction: Reduction): Scalar {
  const counts = countsOf(weights, batchSize, reduction);
  return sum(mul(chooseEach(greater(counts, 0), losses, zerosLike(losses)), counts));
}
