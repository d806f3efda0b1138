import {Cast, Fill, type TensorInfo} from '@tensorflow/tfjs-core';
import type {Workbench} from './workbench';

/** Casts to float32, in which the cpu backend computes gradients. */
export function asFloat(bench: Workbench, x: TensorInfo): TensorInfo {
  return x.dtype === 'float32' ? x : bench.run(Cast, {x}, {dtype: 'float32'});
}

export function zeros(bench: Workbench, shape: number[]): TensorInfo {
  return bench.run(Fill, {}, {shape, value: 0, dtype: 'float32'});
}

export function isEmpty({shape}: TensorInfo): boolean {
  return shape.includes(0);
}

/** Fills rows with the same numbers. */
export function fillRows(rows: Float32Array, row: Float32Array): void {
  rows.set(row);
  for (let filled = row.length; filled < rows.length; filled *= 2) {
    rows.copyWithin(filled, 0, Math.min(filled, rows.length - filled));
  }
}
