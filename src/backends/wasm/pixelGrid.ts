import type {TensorInfo} from '@tensorflow/tfjs-core';
import {slices} from './slices';
import type {Workbench} from './workbench';

/** Which pixels of an image: `rows` of them from `firstRow` on, every `rowStep`-th, and columns in the same way. */
export interface PixelGrid {
  firstRow: number;
  rowStep: number;
  rows: number;
  firstColumn: number;
  columnStep: number;
  columns: number;
}

/**
 * Picks a grid of pixels out of images.
 *
 *     float32[N, H, W, C] → float32[N, rows, columns, C]
 */
export function pixelGrid(bench: Workbench, images: TensorInfo, grid: PixelGrid): TensorInfo {
  const [count, height, width, channels] = images.shape as [number, number, number, number];
  const {firstRow, rowStep, rows, firstColumn, columnStep, columns} = grid;
  const pixels = new Int32Array(count * rows * columns);
  let next = 0;
  for (let image = 0; image < count; image++) {
    for (let row = 0; row < rows; row++) {
      const start = (image * height + firstRow + row * rowStep) * width + firstColumn;
      for (let column = 0; column < columns; column++) pixels[next++] = start + column * columnStep;
    }
  }
  return {...slices(bench, images, channels, pixels), shape: [count, rows, columns, channels]};
}
