import {GatherNd, type TensorInfo, util} from '@tensorflow/tfjs-core';
import type {Workbench} from './workbench';

/**
 * Copies some of the consecutive slices of `size` numbers in a tensor.
 *
 *     float32[…], indices [K] → float32[K, size]
 *
 * `gatherNd` copies memory slice by slice, faster than the stock slice. It checks nothing.
 */
export function slices(bench: Workbench, tensor: TensorInfo, size: number, indices: Int32Array): TensorInfo {
  const params = {...tensor, shape: [util.sizeFromShape(tensor.shape) / size, size]};
  return bench.run(GatherNd, {params, indices: bench.make(indices, [indices.length, 1], 'int32')});
}

/** Copies one of the consecutive tensors of a shape in a tensor. */
export function sliceAt(bench: Workbench, tensor: TensorInfo, shape: number[], index: number): TensorInfo {
  return {...slices(bench, tensor, util.sizeFromShape(shape), Int32Array.of(index)), shape};
}

/** Rows or columns of an image: `count` of them from `first` on, every `step`-th. */
export interface Lines {
  first: number;
  step: number;
  count: number;
}

/**
 * Gathers a grid of pixels from images.
 *
 *     float32[N, H, W, C] → float32[N, rows, columns, C]
 */
export function pixelGrid(bench: Workbench, images: TensorInfo, rows: Lines, columns: Lines): TensorInfo {
  const [count, height, width, channels] = images.shape as [number, number, number, number];
  const pixels = new Int32Array(count * rows.count * columns.count);
  let next = 0;
  for (let image = 0; image < count; image++) {
    for (let row = 0; row < rows.count; row++) {
      const start = (image * height + rows.first + row * rows.step) * width + columns.first;
      for (let column = 0; column < columns.count; column++) pixels[next++] = start + column * columns.step;
    }
  }
  return {...slices(bench, images, channels, pixels), shape: [count, rows.count, columns.count, channels]};
}
