import {Add, type TensorInfo, util} from '@tensorflow/tfjs-core';
import {fillRows} from './floats';
import type {Inputs, WasmKernel} from './workbench';

/** From this many numbers on, repeating a bias pays off. */
const MANY = 8192;

/** Up to this many numbers, longer rows are faster. */
const LONG = 1024;

/**
 * Adds a bias to pixels of few channels: to many pixels as one row, with the bias repeated.
 *
 *     float32[…, C] + float32[C]  →  float32[n / r, r · C] + [bias, bias, …]
 *
 * XNNPACK starts anew for every row. For 32 images of 26 × 26 pixels with 16 channels, that takes
 * most of its time. The sums are the same.
 */
export const fastAdd: WasmKernel = {
  kernelName: Add,
  from: [Add],
  isFor: ({a, b}: Inputs<'a' | 'b'>) => repetitions(a, b) > 1,
  compute(bench, {a, b}: Inputs<'a' | 'b'>) {
    const channels = b.shape.at(-1) as number;
    const width = repetitions(a, b) * channels;
    const [bias] = bench.views(b) as [Float32Array];
    const repeated = new Float32Array(width);
    fillRows(repeated, bias);
    const rows = {...a, shape: [util.sizeFromShape(a.shape) / width, width]};
    return {...bench.run(Add, {a: rows, b: bench.make(repeated, [width], 'float32')}), shape: a.shape};
  },
};

/** Returns how often to repeat `b`: 1 unless it is a bias of few channels, added to many pixels. */
function repetitions(a: TensorInfo, b: TensorInfo): number {
  const size = util.sizeFromShape(a.shape);
  if (size < MANY || a.dtype !== 'float32' || b.dtype !== 'float32' || b.shape.length > a.shape.length) return 1;
  const channels = b.shape.at(-1) ?? 1;
  if (channels < 2 || channels !== a.shape.at(-1) || util.sizeFromShape(b.shape) !== channels) return 1;
  const pixels = size / channels;
  let most = Math.floor(LONG / channels);
  while (most > 1 && pixels % most !== 0) most--;
  return Math.max(most, 1);
}
