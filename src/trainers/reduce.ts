import {
  where as chooseEach,
  divNoNan,
  greater,
  mul,
  type Scalar,
  sum,
  type Tensor1D,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type {Reduction} from '../types';

export const REDUCTIONS: readonly Reduction[] = ['mean', 'sum', 'batchMean'];

/** Weighs the losses of kept rows, `float32[K]`; a row of weight 0 counts 0, also where its loss is NaN. */
export function countedLosses(losses: Tensor1D, weights: Tensor1D): Tensor1D {
  return mul(chooseEach(greater(weights, 0), losses, zerosLike(losses)), weights) as Tensor1D;
}

/** Reduces the losses `float32[K]` of the kept rows to `float32[]`. */
export function reduceKept(losses: Tensor1D, weights: Tensor1D, batchSize: number, reduction: Reduction): Scalar {
  const total = sum(countedLosses(losses, weights)) as Scalar;
  if (reduction === 'sum') return total;
  return mul(total, reduction === 'batchMean' ? 1 / batchSize : divNoNan(1, sum(weights))) as Scalar;
}
