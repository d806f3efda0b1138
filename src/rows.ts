/** @file Rows of tensors: taking them, putting them back, and replacing some by others. */

import {cast, gatherND, reshape, scatterND, type Tensor, type Tensor1D} from '@tensorflow/tfjs-core';

/**
 * Takes rows of a tensor along its first axis, `[B, …] → [K, …]`. On wasm `gatherND` takes 1 % of
 * the time of `gather`.
 */
export function takeRows<T extends Tensor>(tensor: T, rows: Tensor1D): T {
  return gatherND(tensor, asColumn(rows)) as T;
}

/**
 * Puts `K` rows among `B` rows of zeros, `[K, …] → [B, …]`. Rows that go to the same place are
 * added.
 */
export function putRows<T extends Tensor>(values: T, rows: Tensor1D, batchSize: number): T {
  return scatterND(asColumn(rows), values, [batchSize, ...values.shape.slice(1)]) as T;
}

function asColumn(rows: Tensor1D): Tensor {
  return reshape(rows.dtype === 'int32' ? rows : cast(rows, 'int32'), [rows.size, 1]);
}
