/** @file All triplets of a batch, for some anchors at a time, so that they fit into little memory. */

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

/** Numbers in one tensor of the triplets of some anchors: 1 MB. About fifteen such tensors live at a time. */
const AT_ONCE = 2 ** 18;

/** Runs `f` with the rows of tensors for some anchors at a time. */
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

/** Computes rows `float32[A, …]` for some anchors at a time, and joins them. */
export function inChunks(
  columnsOfSlots: Tensor2D,
  columns: number,
  tensors: readonly Tensor[],
  f: (rows: Tensor[]) => Tensor2D,
): Tensor2D {
  const parts = [...chunksOf(columnsOfSlots.shape[1], columns, tensors, f)];
  return parts.length === 1 ? (parts[0] as Tensor2D) : concat(parts);
}

/** Takes whole rows of a matrix, `float32[A · P, R]` as `[A, P, R]`. */
export function rowsAt(values: Tensor2D, columns: Tensor2D): Tensor {
  const [rows, width] = columns.shape;
  const taken = gatherND(values, reshape(columns, [rows * width, 1]));
  return reshape(taken, [rows, width, values.shape[1]]);
}
