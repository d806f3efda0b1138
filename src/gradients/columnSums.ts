import {avgPool, mul, reshape, sum, type Tensor, type Tensor1D, type Tensor4D} from '@tensorflow/tfjs-core';

/** From this many columns on, a pooling is faster than a sum. */
const WIDE = 16;

/** The pooling of wasm writes out of bounds from 16,349 channels on. */
const MOST_CHANNELS = 8192;

/**
 * Adds up over all axes but the last, `float32[…, C] → float32[C]`: the gradient of a bias.
 *
 * Computed as the mean over a window of one column, times the number of rows. `tf.sum` transposes
 * the matrix first: for 1024 × 1024 it takes some fifty times as long on wasm, and six times on cpu
 * (`npm run bench -- bias`).
 */
export function columnSums(tensor: Tensor): Tensor1D {
  const columns = tensor.shape.at(-1) as number;
  const rows = tensor.size / columns;
  if (rows === 1) return reshape(tensor, [columns]);
  const channels = channelsOf(columns);
  if (columns < WIDE || channels === undefined) return sum(reshape(tensor, [rows, columns]), 0);
  const image = reshape(tensor, [1, rows, columns / channels, channels]) as Tensor4D;
  return reshape(mul(avgPool(image, [rows, 1], 1, 'valid'), rows), [columns]);
}

/** The most channels that columns divide into; undefined if they would be fewer than is fast. */
function channelsOf(columns: number): number | undefined {
  for (let width = Math.ceil(columns / MOST_CHANNELS); columns / width >= WIDE; width++) {
    if (columns % width === 0) return columns / width;
  }
  return undefined;
}
