/** @file Rows of tensors: gathering, scattering, replacing and adding up. */

import {
  add,
  argMax,
  avgPool,
  cast,
  env,
  fill,
  gatherND,
  getBackend,
  type KernelBackend,
  type KernelConfig,
  mul,
  pad,
  range,
  reshape,
  type Scalar,
  scatterND,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  type TensorInfo,
  type TypedArray,
  topk,
  util,
  where,
} from '@tensorflow/tfjs-core';
import {canRecord, runOwnKernel} from './engine';
import {gpuKernel, runGpuKernel, runsGpuKernels} from './gpu';
import {hostKernel, isForHostKernel, runHostKernel} from './hostKernel';

/** Gathers rows, `[B, …] → [K, …]`, by `gatherND`: on wasm, the stock `gather` is far slower. */
export function takeRows<T extends Tensor>(tensor: T, rows: Tensor1D): T {
  return gatherRows(tensor, asColumn(rows)) as T;
}

/** Gathers the rows `int32[K, 1]` of a tensor. */
export function gatherRows(tensor: Tensor, rows: Tensor): Tensor {
  const isOfNumbers = tensor.dtype !== 'string' && tensor.dtype !== 'complex64';
  if (getBackend() !== 'cpu' || !isOfNumbers || !canRecord()) return gatherND(tensor, rows);
  return runOwnKernel(ROWS_ON_CPU, {tensor, rows});
}

/**
 * Gathers rows on cpu. The stock kernels compute the position of each number, which takes as long
 * as a matrix product.
 */
const ROWS_ON_CPU: KernelConfig = {
  kernelName: 'OhemRows',
  backendName: 'cpu',
  kernelFunc({inputs, backend}) {
    const {tensor, rows} = inputs as Record<'tensor' | 'rows', TensorInfo>;
    const {dtype} = tensor;
    const [given, places] = [tensor, rows].map(({dataId}) => (backend as KernelBackend).readSync(dataId));
    const values = util.toTypedArray(given as TypedArray, dtype as 'float32');
    const [batchSize = 0, ...of] = tensor.shape;
    const width = util.sizeFromShape(of);
    const shape = [rows.shape[0] as number, ...of];
    const taken = util.getTypedArrayFromDType(dtype as 'float32', width * (shape[0] as number));
    for (const [i, row] of (places as Int32Array).entries()) {
      if (!(row >= 0 && row < batchSize)) throw new Error(`takeRows: the row ${row} is not in [0, ${batchSize - 1}]`);
      taken.set(values.subarray(row * width, (row + 1) * width), i * width);
    }
    return {dataId: (backend as KernelBackend).write(taken, shape, dtype), shape, dtype};
  },
};

/** Scatters rows into zeros, `[K, …] → [B, …]`. Rows with the same target are added. */
export function putRows<T extends Tensor>(values: T, rows: Tensor1D, batchSize: number): T {
  const matrix = reshape(values, [rows.size, util.sizeFromShape(values.shape.slice(1))]);
  return reshape(scatterRows(asColumn(rows), matrix, batchSize), [batchSize, ...values.shape.slice(1)]) as T;
}

/**
 * Scatters the rows of a matrix into zeros, to the positions `int32[K, 1]`.
 *
 * A texel of webgl holds two rows. With an odd number of rows, it would add the data after the last
 * one to some row, so a row of zeros is appended.
 */
export function scatterRows(places: Tensor, matrix: Tensor, size: number): Tensor {
  const shape = [size, matrix.shape[1] as number];
  if (getBackend() !== 'webgl' || (matrix.shape[0] as number) % 2 === 0) return scatterND(places, matrix, shape);
  const [oneMore, none] = [[0, 1] as [number, number], [0, 0] as [number, number]];
  return scatterND(pad(places, [oneMore, none]), pad(matrix, [oneMore, none]), shape);
}

/** Replaces numbers outside the mask by NaN. */
const NAN_UNLESS = /* @__PURE__ */ gpuKernel({
  name: 'OhemNaNUnless',
  inputs: ['Marks', 'Values'],
  dtype: 'float32',
  code: `
    float x = NAN;
    if (getMarks(row) != 0.0) { x = getValues(row); }
    setOutput(x);`,
});

/** Replaces rows outside the mask by NaN constants, which get no gradient. */
export function nanUnless<T extends Tensor>(marks: Tensor1D, tensor: T): T {
  if (tensor.rank === 1 && runsGpuKernels()) return runGpuKernel(NAN_UNLESS, [marks, tensor], tensor.shape);
  const each = reshape(marks, [marks.size, ...tensor.shape.slice(1).map(() => 1)]);
  return where(each, tensor, fill(tensor.shape, Number.NaN)) as T;
}

/**
 * Finds the index of the largest number, `int32[]`. On webgpu the `argMax` of tfjs has shape `[1]`.
 */
export function placeOfLargest(values: Tensor1D): Scalar {
  return reshape(argMax(values), []);
}

/** Replaces rows outside the mask by its first row; by row 0 if the mask is empty. */
const REPLACED_ROWS = /* @__PURE__ */ gpuKernel({
  name: 'OhemReplacedRows',
  inputs: ['Marks', 'Values'],
  dtype: 'float32',
  integers: ['count'],
  code: `
    int place = row;
    if (getMarks(row) == 0.0) {
      place = 0;
      for (int i = count - 1; i >= 0; i--) {
        if (getMarks(i) != 0.0) { place = i; }
      }
    }
    setOutput(getValues(place, column));`,
});

/** The same, with that row. */
const REPLACED_ROWS_BY = /* @__PURE__ */ gpuKernel({
  name: 'OhemReplacedRowsBy',
  inputs: ['Marks', 'Values', 'First'],
  dtype: 'float32',
  code: `
    int place = row;
    if (getMarks(row) == 0.0) { place = int(getFirst(0)); }
    setOutput(getValues(place, column));`,
});

/** Number of rows up to which each thread of a GPU looks for the first one of a mask itself. */
const MOST_SEARCHED = 4096;

/**
 * Replaces rows outside the mask by one row of the mask: the first, except that among many rows the
 * `argMax` of webgpu finds any.
 */
export function replacedRows<T extends Tensor>(tensors: readonly T[], marks: Tensor1D): T[] {
  const count = marks.size;
  const isOwn = runsGpuKernels();
  let first: Tensor1D | undefined;
  let places: Tensor1D | undefined;
  return tensors.map((tensor) => {
    if (!isOwn || tensor.dtype !== 'float32' || count > MOST_SEARCHED) {
      first ??= reshape(placeOfLargest(cast(marks, 'int32')), [1]);
    }
    if (isOwn && tensor.dtype === 'float32') {
      const matrix = reshape(tensor, [count, tensor.size / count]);
      const replaced = first
        ? runGpuKernel(REPLACED_ROWS_BY, [marks, matrix, first], matrix.shape)
        : runGpuKernel(REPLACED_ROWS, [marks, matrix], matrix.shape, [count]);
      return reshape(replaced, tensor.shape) as T;
    }
    places ??= where(marks, range(0, count, 1, 'int32'), first as Tensor1D) as Tensor1D;
    return takeRows(tensor, places);
  });
}

/** Keeps webgl from sorting on the host, as it does below 100,000 scores or above `count` 128. */
const SORT_ON_DEVICE = {TOPK_LAST_DIM_CPU_HANDOFF_SIZE_THRESHOLD: 0, TOPK_K_CPU_HANDOFF_THRESHOLD: 2 ** 31};

/**
 * Finds the `count` largest numbers along the last axis, largest first; ties keep the lower index.
 * NaN is not allowed.
 */
export function largestFirst<T extends Tensor>(numbers: T, count: number): {values: T; indices: T} {
  const sorted = () => topk(numbers, count, true);
  return getBackend() === 'webgl' ? withFlags(SORT_ON_DEVICE, sorted) : sorted();
}

/** Runs `f` with other flags, and restores them. */
function withFlags<T>(flags: Record<string, number>, f: () => T): T {
  const before = Object.keys(flags).map((name) => [name, env().getNumber(name)] as const);
  try {
    for (const [name, value] of Object.entries(flags)) env().set(name, value);
    return f();
  } finally {
    for (const [name, value] of before) env().set(name, value);
  }
}

/**
 * Adds tensors of one shape. It avoids `addN`, which returns zeros for more than seven tensors on
 * webgpu.
 */
export function addUp<T extends Tensor>(tensors: readonly T[]): T {
  return tensors.reduce((total, next) => add(total, next));
}

function asColumn(rows: Tensor1D): Tensor {
  return reshape(rows.dtype === 'int32' ? rows : cast(rows, 'int32'), [rows.size, 1]);
}

/** Number of columns from which pooling is faster than a sum. */
export const WIDE = 16;

/** Beyond 16,348 channels, the pooling of wasm writes out of bounds. */
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
  if (runsGpuKernels()) return columnSumsOnGpu(reshape(tensor, [rows, columns]));
  const channels = channelsOf(columns);
  const isNarrow = columns < WIDE || channels === undefined;
  if (isNarrow && isForHostKernel(tensor)) return runHostKernel(COLUMN_SUMS_ON_HOST, [tensor], [columns]);
  if (isNarrow) return sum(reshape(tensor, [rows, columns]), 0);
  const image = reshape(tensor, [1, rows, columns / channels, channels]) as Tensor4D;
  return reshape(mul(avgPool(image, [rows, 1], 1, 'valid'), rows), [columns]);
}

const COLUMN_SUMS_ON_HOST = /* @__PURE__ */ hostKernel('OhemColumnSums', ['Values'], ({read, add}, columns) => {
  const values = read('Values');
  const sums = new Float32Array(columns);
  for (let column = 0; column < columns; column++) {
    let total = 0;
    for (let at = column; at < values.length; at += columns) total = add(total, values[at] as number);
    sums[column] = total;
  }
  return sums;
});

/** Number of rows up to which one thread of a GPU adds up a column. */
const MOST_ADDED = 1024;

/** Sums of every `parts`th row, from each of the first rows on. */
const COLUMN_PARTS = /* @__PURE__ */ gpuKernel({
  name: 'OhemColumnParts',
  inputs: ['Values'],
  dtype: 'float32',
  integers: ['rows', 'parts'],
  code: `
    float total = 0.0;
    for (int i = row; i < rows; i += parts) { total += getValues(i, column); }
    setOutput(total);`,
});

const COLUMN_SUMS = /* @__PURE__ */ gpuKernel({
  name: 'OhemColumnSums',
  inputs: ['Values'],
  dtype: 'float32',
  integers: ['rows'],
  code: `
    float total = 0.0;
    for (int i = 0; i < rows; i++) { total += getValues(i, row); }
    setOutput(total);`,
});

function columnSumsOnGpu(matrix: Tensor): Tensor1D {
  const [rows, columns] = matrix.shape as [number, number];
  const parts = Math.ceil(Math.sqrt(rows));
  const added = rows <= MOST_ADDED ? matrix : runGpuKernel(COLUMN_PARTS, [matrix], [parts, columns], [rows, parts]);
  return runGpuKernel(COLUMN_SUMS, [added], [columns], [added.shape[0] as number]);
}

/**
 * Finds the largest number of channels that divides the columns; undefined if it would be too small
 * to be fast.
 */
function channelsOf(columns: number): number | undefined {
  for (let width = Math.ceil(columns / MOST_CHANNELS); columns / width >= WIDE; width++) {
    if (columns % width === 0) return columns / width;
  }
  return undefined;
}
