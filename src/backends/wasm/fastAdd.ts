import {Add, type TensorInfo, util} from '@tensorflow/tfjs-core';
import {ROW_SUM} from './assembly/kinds';
import {fillRows} from './floats';
import {ON_ONE_THREAD, WORD} from './jobs';
import type {Inputs, WasmKernel, Workbench} from './workbench';

/** From this many numbers on, XNNPACK is slower, which starts anew for every row. */
const MANY = 2048;

/** Up to this many numbers, longer rows are faster. */
const LONG = 64;

/**
 * Adds a bias to each row, or to many rows at a time, with the bias repeated:
 *
 *     float32[…, C] + float32[C]  →  float32[n / r, r · C] + [bias, bias, …]
 */
export const fastAdd: WasmKernel = {
  kernelName: Add,
  from: [Add],
  isFor: ({a, b}: Inputs<'a' | 'b'>) => isBias(b, a),
  compute(bench, {a, b}: Inputs<'a' | 'b'>) {
    const size = util.sizeFromShape(a.shape);
    const bias = repeated(bench, b, size);
    const width = bias.shape.at(-1) as number;
    const rows = size / width;
    const jobs = bench.jobsFor(size);
    if (!jobs) return {...bench.run(Add, {a: {...a, shape: [rows, width]}, b: bias}), shape: a.shape};
    const result = bench.makeEmpty(a.shape, 'float32');
    jobs.run(ROW_SUM, ON_ONE_THREAD, 0, [...bench.places(a, bias, result), rows, width * WORD]);
    return result;
  },
};

/** Whether `b` is a vector of several numbers that is added to many rows. */
function isBias(b: TensorInfo, a: TensorInfo): boolean {
  const channels = b.shape.at(-1) ?? 1;
  if (a.dtype !== 'float32' || b.dtype !== 'float32' || b.shape.length > a.shape.length || channels < 2) return false;
  const isRow = channels === a.shape.at(-1) && util.sizeFromShape(b.shape) === channels;
  return isRow && util.sizeFromShape(a.shape) >= MANY;
}

/** Returns a bias, repeated if it is short and the rows are a multiple of that. */
function repeated(bench: Workbench, b: TensorInfo, size: number): TensorInfo {
  const channels = b.shape.at(-1) as number;
  const rows = size / channels;
  let times = Math.floor(LONG / channels);
  while (times > 1 && rows % times !== 0) times--;
  if (times <= 1) return {...b, shape: [channels]};
  const [bias] = bench.views(b) as [Float32Array];
  const values = new Float32Array(times * channels);
  fillRows(values, bias);
  return bench.make(values, [values.length], 'float32');
}
