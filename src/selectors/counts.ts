/** @file Numbers of rows that are known on the device only. */

import {
  cast,
  expandDims,
  gatherND,
  less,
  notEqual,
  range,
  type Scalar,
  scalar,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
} from '@tensorflow/tfjs-core';
import {takeRows} from '../rows';

/** Takes the value at a place, `int32[]`, by the faster op, as `takeRows` does. */
export function valueAt(values: Tensor1D, place: Scalar): Scalar {
  return gatherND(values, expandDims(place)) as Scalar;
}

/** Computes `f` of each count, a number from 0 to `most`. */
export function ofCounts(counts: Tensor1D, most: number, f: (count: number) => number): Tensor1D {
  return takeRows(tableOf(f, most), counts);
}

/** Computes `f` of the number of valid rows, `float32[]`. */
export function ofValidRows(batchSize: number, valid: Tensor1D | undefined, f: (rows: number) => number): Scalar {
  if (valid === undefined) return scalar(f(batchSize));
  return valueAt(tableOf(f, batchSize), sum(cast(notEqual(valid, 0), 'int32')));
}

/** Marks the first `limit` of `count` places, `bool[count]`. */
export function firstPlaces(count: number, limit: Tensor): Tensor1D {
  return less(range(0, count, 1, 'float32'), limit);
}

/** Tabulates `f` on the host: in float32 a product like 0.7 · 45 would round differently. */
function tableOf(f: (count: number) => number, most: number): Tensor1D {
  return tensor1d(Float32Array.from({length: most + 1}, (_, count) => f(count)));
}
