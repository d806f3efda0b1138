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
import type {Reduction} from '../types';

export const REDUCTIONS: readonly Reduction[] = ['mean', 'sum', 'batchMean'];
/** Far below any sum of weights: only keeps 0 / 0 at 0. */
const SMALLEST = 1e-37;

/** What each kept row counts in the sum that a reduction is, `float32[K]`: `w / Σ w`, `w`, or `w / B`. */
export function countsOf(weights: Tensor1D, batchSize: number, reduction: Reduction): Tensor1D {
  if (reduction === 'sum') return weights;
  return div(weights, reduction === 'batchMean' ? batchSize : maximum(sum(weights), SMALLEST));
}

/** Multiplies the losses of kept rows by what they count, `float32[K]`; a row that counts 0 gives 0, also where its loss is NaN. */
export function countedLosses(losses: Tensor1D, counts: Tensor1D): Tensor1D {
  return mul(chooseEach(greater(counts, 0), losses, zerosLike(losses)), counts) as Tensor1D;
}

/** Reduces the losses `float32[K]` of the kept rows to `float32[]`. */
export function reduceKept(losses: Tensor1D, weights: Tensor1D, batchSize: number, reduction: Reduction): Scalar {
  return sum(countedLosses(losses, countsOf(weights, batchSize, reduction)));
}
