/** @file Rows of tensors: gathering, scattering, adding up, and finding the finite ones. */

import {
  add,
  argMax,
  avgPool,
  cast,
  concat,
  env,
  fill,
  gatherND,
  getBackend,
  isFinite as isFiniteTensor,
  type KernelBackend,
  type KernelConfig,
  logicalAnd,
  matMul,
  mul,
  pad,
  reshape,
  type Scalar,
  scatterND,
  square,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  type TensorInfo,
  type TypedArray,
  tensor1d,
  tidy,
  topk,
  util,
  where,
  zeros,
} from '@tensorflow/tfjs-core';
import {livesInMainMemory} from './checks';
import {canRecord, numbersIn, runOwnKernel} from './engine';

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

/** Replaces rows outside the mask by NaN constants, which get no gradient. */
export function nanUnless<T extends Tensor>(marks: Tensor1D, tensor: T): T {
  const each = reshape(marks, [marks.size, ...tensor.shape.slice(1).map(() => 1)]);
  return where(each, tensor, fill(tensor.shape, Number.NaN)) as T;
}

/**
 * Finds the index of the largest number, `int32[]`. On webgpu the `argMax` of tfjs has shape `[1]`.
 */
export function placeOfLargest(values: Tensor1D): Scalar {
  return reshape(argMax(values), []);
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
const WIDE = 16;

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
  const channels = channelsOf(columns);
  if (columns < WIDE || channels === undefined) return sum(reshape(tensor, [rows, columns]), 0);
  const image = reshape(tensor, [1, rows, columns / channels, channels]) as Tensor4D;
  return reshape(mul(avgPool(image, [rows, 1], 1, 'valid'), rows), [columns]);
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

/**
 * Returns the mask of rows whose numbers are all finite, `bool[B]`; undefined if all rows are known
 * to be.
 *
 * On cpu and wasm the numbers are read. On a GPU nothing is read, so the result is a mask whenever
 * there are floats.
 */
export function finiteRows(tensors: readonly Tensor[], batchSize: number): Tensor1D | undefined {
  const floats = tensors.filter(({dtype}) => dtype === 'float32');
  if (livesInMainMemory()) return seenRows(floats, batchSize);
  const marks = floats.map((tensor) => markedRows(tensor, batchSize));
  return marks.length === 0 ? undefined : marks.reduce((both, next) => logicalAnd(both, next));
}

function seenRows(tensors: readonly Tensor[], batchSize: number): Tensor1D | undefined {
  let marks: Uint8Array | undefined;
  for (const tensor of tensors) {
    if (areFiniteOnHost(tensor)) continue;
    const values = numbersIn<'float32'>(tensor);
    const perRow = values.length / batchSize;
    for (let i = 0; i < values.length; i++) {
      if (Number.isFinite(values[i])) continue;
      marks ??= new Uint8Array(batchSize).fill(1);
      marks[Math.floor(i / perRow)] = 0;
    }
  }
  return marks && tensor1d(marks, 'bool');
}

/** On wasm, up to this many numbers the host is faster than starting kernels. */
const ADDED_BY_HOST = 16_384;

/** Whether the host reads the numbers directly. On cpu, kernels are no faster. */
function isForHost({size, shape}: Tensor): boolean {
  if (size <= ADDED_BY_HOST || getBackend() === 'cpu') return true;
  return size % WIDE !== 0 && (shape.at(-1) as number) < WIDE;
}

/**
 * Whether all numbers of a tensor in main memory are finite. Many are first added up by kernels,
 * because a sum with NaN or ∞ is never finite.
 */
export function areFiniteOnHost(tensor: Tensor): boolean {
  if (tensor.dtype !== 'float32') return true;
  if (!isForHost(tensor) && isSumFinite(tensor)) return true;
  return isWithin(tensor, LARGEST);
}

function isSumFinite(tensor: Tensor): boolean {
  return tidy(() => {
    const matrix = tensor.size % WIDE === 0 ? reshape(tensor, [-1, WIDE]) : tensor;
    return Number.isFinite(sum(matrix.rank > 1 ? columnSums(matrix) : matrix).dataSync()[0]);
  });
}

/** The largest float32. */
const LARGEST = 3.4028234663852886e38;

/** Whether no number is NaN or further from 0 than a limit. */
function isWithin(tensor: Tensor, limit: number): boolean {
  const values = numbersIn<'float32'>(tensor);
  for (let i = 0; i < values.length; i++) if (!(Math.abs(values[i] as number) <= limit)) return false;
  return true;
}

/** Whether all numbers and their squares are finite; some optimizers sum the squares. */
export function hasFiniteSquares(gradient: Tensor): boolean {
  if (!isForHost(gradient)) return tidy(() => isSumFinite(square(gradient)));
  // So small that the sum of their squares is finite, as they mostly are.
  if (isWithin(gradient, Math.sqrt(LARGEST / (gradient.size + 1)) / 2)) return true;
  const entries = numbersIn<'float32'>(gradient);
  let total = 0;
  for (let i = 0; i < entries.length; i++) total += (entries[i] as number) ** 2;
  return Number.isFinite(Math.fround(total));
}

/**
 * Whether all numbers are finite, `bool[]`: a sum with NaN or ∞ is never finite. For gradients it
 * sums the squares, which also detects entries too large for an optimizer that squares them.
 */
export function areFinite(gradients: Tensor[], statistics: Tensor[]): Scalar {
  const sumOf = (tensor: Tensor) => sum<Scalar>(tensor.rank > 1 ? columnSums(tensor) : tensor);
  const floats = statistics.map((tensor) => cast(tensor, 'float32'));
  const sums = [...gradients.map(sumOfSquares), ...floats.map(sumOf)];
  return isFiniteTensor(sum(concat(sums.map((total) => reshape(total, [1])))));
}

/** Up to this many numbers, a single GPU thread is faster than starting further kernels. */
const ADDED_AT_ONCE = 4096;

function sumOfSquares(tensor: Tensor): Tensor {
  const {size} = tensor;
  if (size > ADDED_AT_ONCE) return sum(columnSums(square(reshape(tensor, [-1, tensor.shape.at(-1) ?? 1]))));
  return matMul(reshape(tensor, [1, size]), reshape(tensor, [size, 1]));
}

function markedRows(tensor: Tensor, batchSize: number): Tensor1D {
  const perRow = tensor.size / batchSize;
  // x · 0 is 0, or NaN if x is not finite, and so is a sum of such products: a product with a
  // column of zeros.
  const sums = matMul(reshape(tensor, [batchSize, perRow]), zeros([perRow, 1]));
  return isFiniteTensor(reshape(sums, [batchSize]));
}
