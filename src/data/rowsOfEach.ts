/** @file Row operations on all tensors of a batch: inputs, targets, weights and context. */

import {concat, mul, reshape, type Tensor, tensor1d} from '@tensorflow/tfjs-core';
import {gatherRows} from '../rows';
import type {SampleWeights} from './batchOptions';

/** Gathers the rows `int32[K, 1]` of each tensor in lists and records. */
export function rowsOfEach<T>(tensors: T, rows: Tensor): T {
  return eachTensorIn(tensors, (tensor) => gatherRows(tensor, rows));
}

/** Concatenates tensors in lists and records of the same form along the first axis. */
export function joined<T>(parts: readonly T[]): T {
  let place = 0;
  const columns = parts.map((part) => tensorsIn(part));
  return eachTensorIn(parts[0] as T, () => {
    const column = columns.map((tensors) => tensors[place] as Tensor);
    place++;
    return column.length === 1 ? (column[0] as Tensor) : concat(column);
  });
}

/** Disposes each tensor in lists and records. */
export function disposeEach(tensors: unknown): void {
  for (const tensor of tensorsIn(tensors)) tensor.dispose();
}

/** Lists the tensors in lists and records, in the order of `eachTensorIn`. */
function tensorsIn(tensors: unknown, found: Tensor[] = []): Tensor[] {
  if (typeof tensors !== 'object' || tensors === null) return found;
  if ('dataId' in tensors) found.push(tensors as Tensor);
  else for (const inner of Object.values(tensors)) tensorsIn(inner, found);
  return found;
}

function eachTensorIn<T>(tensors: T, f: (tensor: Tensor) => Tensor): T {
  if (typeof tensors !== 'object' || tensors === null) return tensors;
  if ('dataId' in tensors) return f(tensors as unknown as Tensor) as T;
  if (Array.isArray(tensors)) return tensors.map((tensor) => eachTensorIn(tensor, f)) as T;
  return Object.fromEntries(
    Object.entries(tensors as object).map(([name, tensor]) => [name, eachTensorIn(tensor, f)]),
  ) as T;
}

/** Row weights as tensors. */
export type WeightTensors = Exclude<SampleWeights, ArrayLike<number>>;

/** Multiplies the sample weights of a batch by further row weights; undefined if there are none. */
export function weighted(
  given: WeightTensors | undefined,
  counts: Float32Array | undefined,
): WeightTensors | undefined {
  if (!counts) return given;
  const factors = tensor1d(counts);
  if (given === undefined) return factors;
  // Weights may have further axes: those of elements, or one of 1.
  const shape = ({rank}: Tensor) => [factors.size, ...Array.from({length: rank - 1}, () => 1)];
  return eachTensorIn(given, (tensor) => mul(tensor, reshape(factors, shape(tensor))));
}
