/** @file Numbers of rows that only the device knows, and what follows from them. */

import {
  cast,
  expandDims,
  gatherND,
  less,
  notEqual,
  range,
  scalar,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
} from '@tensorflow/tfjs-core';

/**
 * The values at some positions, in the shape of the positions. Not `gather`: that of stock wasm goes number by number, a hundred times as slow.
 */
export function valuesAt<T extends Tensor>(values: Tensor1D, positions: T): T {
  return gatherND(values, expandDims(positions, -1)) as T;
}

/**
 * What `f` gives for counts from 0 to `most` that are on the device. It comes from a table: in float32 a product like
 * 0.7 · 45 would round to another side than on the host.
 */
export function ofCounts<T extends Tensor>(counts: T, most: number, f: (count: number) => number): T {
  const table = new Float32Array(most + 1);
  for (let count = 0; count <= most; count++) table[count] = f(count);
  return valuesAt(tensor1d(table), counts);
}

/** What `f` gives for the number of valid rows, `float32[]`. */
export function ofValidRows(batchSize: number, valid: Tensor1D | undefined, f: (rows: number) => number): Tensor {
  if (valid === undefined) return scalar(f(batchSize));
  return ofCounts(sum(cast(notEqual(valid, 0), 'int32')), batchSize, f);
}

/** Marks the first `limit` of `count` places, `bool[count]`. */
export function firstPlaces(count: number, limit: Tensor): Tensor1D {
  return less(range(0, count, 1, 'float32'), limit);
}
