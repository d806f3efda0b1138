/** @file Data in items that say which rows they have. */
import {slice, type Tensor} from '@tensorflow/tfjs-core';
import type {DatasetItem} from 'ohem-tfjs';

/** The rows of some data in items of a given size, in their order, or in that of `order`. */
export function itemsOf({xs, ys}: {xs: Tensor; ys: Tensor}, size: number): DatasetItem[] {
  const count = xs.shape[0] as number;
  return Array.from({length: Math.ceil(count / size)}, (_, item) => {
    const [first, rows] = [item * size, Math.min(size, count - item * size)];
    const index = Int32Array.from({length: rows}, (_, row) => first + row);
    const part = (tensor: Tensor) => slice(tensor, [first, 0], [rows, -1]);
    return {xs: part(xs), ys: part(ys), index};
  });
}
