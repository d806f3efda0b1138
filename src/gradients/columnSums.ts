import {avgPool, mul, reshape, sum, type Tensor, type Tensor1D, type Tensor4D} from '@tensorflow/tfjs-core';

/** From this many columns on, a pooling is faster than a sum. */
const WIDE = 16;

/**
 * Adds up over all axes but the last, `float32[…, C] → float32[C]`: the gradient of a bias.
 *
 * As the mean over a window of one column, times R. `tf.sum` turns the matrix round first: 10 ms for 1024 × 1024 on wasm and 37 on cpu,
 * where this takes 0.2 and 6.
 */
export function columnSums(tensor: Tensor): Tensor1D {
  const columns = tensor.shape.at(-1) as number;
  const rows = tensor.size / columns;
  if (rows === 1) return reshape(tensor, [columns]);
  if (columns < WIDE) return sum(reshape(tensor, [rows, columns]), 0);
  const image = reshape(tensor, [1, rows, 1, columns]) as Tensor4D;
  return reshape(mul(avgPool(image, [rows, 1], 1, 'valid'), rows), [columns]);
}
