import {
  cast,
  customGrad,
  type GradSaveFunc,
  gatherND,
  greater,
  max,
  reshape,
  type Scalar,
  scatterND,
  type Tensor,
  type Tensor1D,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {chooser} from './choose';

/** Takes rows of a tensor along its first axis, `[B, …] → [K, …]`. Not `tf.gather`: on wasm that takes 9 ms for 512 × 784, this 0.1. */
export function takeRows<T extends Tensor>(tensor: T, rows: Tensor1D): T {
  return gatherND(tensor, asColumn(rows)) as T;
}

/** Puts `K` rows back among `B` rows of zeros, `[K, …] → [B, …]`; rows that go to the same place are added. */
export function putRows<T extends Tensor>(values: T, rows: Tensor1D, batchSize: number): T {
  return scatterND(asColumn(rows), values, [batchSize, ...values.shape.slice(1)]) as T;
}

/**
 * Takes rows of predictions so that the gradient finds its way back: `float32[B, …] → float32[K, …]`.
 *
 * The gradient of `tf.gather` needs a kernel that wasm lacks, and fails for integer indices computed on the tape. Here it
 * is `putRows`: rows that were not taken get exactly 0, whatever their loss was; so do all where no weight is over 0.
 */
export function takeTapedRows(tensor: Tensor, rows: Tensor1D, weights: Tensor1D): Tensor {
  const taken = customGrad((predictions, save) => {
    (save as GradSaveFunc)([rows, greater(max(weights), 0)]);
    return {
      value: takeRows(predictions as Tensor, rows),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [savedRows, anyKept] = saved as [Tensor1D, Scalar];
        return putRows(chooser(anyKept)(dy, zerosLike(dy)), savedRows, tensor.shape[0] as number);
      },
    };
  });
  return taken(tensor);
}

/** `putRows` with a gradient: what a row gets back is what came of the place it was put to. */
export function putTapedRows(values: Tensor1D, rows: Tensor1D, batchSize: number): Tensor1D {
  const put = customGrad((given, save) => {
    (save as GradSaveFunc)([rows]);
    return {
      value: putRows(given as Tensor1D, rows, batchSize),
      gradFunc: (dy: Tensor, saved: Tensor[]) => takeRows(dy, saved[0] as Tensor1D),
    };
  });
  return put(values) as Tensor1D;
}

function asColumn(rows: Tensor1D): Tensor {
  return reshape(rows.dtype === 'int32' ? rows : cast(rows, 'int32'), [rows.size, 1]);
}
