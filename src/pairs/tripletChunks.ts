/** @file Processing of all triplets of a batch, some anchors at a time, to save memory. */

import {
  concat,
  gatherND,
  reshape,
  slice,
  type Tensor,
  type Tensor2D,
  type TensorContainer,
  tidy,
} from '@tensorflow/tfjs-core';

/** Number of values in one tensor of triplets: 1 MB. About fifteen such tensors live at a time. */
const AT_ONCE = 2 ** 18;

/** Runs `f` on the rows of tensors, some anchors at a time. */
export function* chunksOf<T extends TensorContainer>(
  width: number,
  columns: number,
  tensors: readonly Tensor[],
  f: (rows: Tensor[]) => T,
): Generator<T, void> {
  const rows = tensors[0]?.shape[0] as number;
  const size = Math.max(1, Math.floor(AT_ONCE / (width * columns)));
  for (let from = 0; from < rows; from += size) {
    const count = Math.min(size, rows - from);
    yield tidy(() => f(tensors.map((tensor) => slice(tensor, from, count))));
  }
}

/** Computes rows `float32[A, …]`, some anchors at a time, and concatenates them. */
export function inChunks(
  columnsOfSlots: Tensor2D,
  columns: number,
  tensors: readonly Tensor[],
  f: (rows: Tensor[]) => Tensor2D,
): Tensor2D {
  const parts = [...chunksOf(columnsOfSlots.shape[1], columns, tensors, f)];
  return parts.length === 1 ? (parts[0] as Tensor2D) : concat(parts);
}

/** Gathers whole rows of a matrix, `float32[A · P, R]` as `[A, P, R]`. */
export function rowsAt(values: Tensor2D, columns: Tensor2D): Tensor {
  const [rows, width] = columns.shape;
  const taken = gatherND(values, reshape(columns, [rows * width, 1]));
  return reshape(taken, [rows, width, values.shape[1]]);
}
