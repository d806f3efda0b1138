/** @file Finite numbers: the rows that have no others, and whether gradients and statistics do. */

import {
  cast,
  concat,
  getBackend,
  isFinite as isFiniteTensor,
  logicalAnd,
  matMul,
  reshape,
  type Scalar,
  square,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import {livesInMainMemory} from './checks';
import {numbersIn} from './engine';
import {type GpuKernel, gpuKernel, runGpuKernel, runsGpuKernels} from './gpu';
import {columnSums, WIDE} from './rows';
import {isForWasmKernel, runWasmKernel, SQUARE_SUM} from './wasmKernels';

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
  const isShort = ({size}: Tensor) => size / batchSize <= LONGEST_ROW;
  const short = runsGpuKernels() ? floats.filter(isShort) : [];
  const marks = [
    ...inGroups(short, MOST_INPUTS).map((group) => shortFiniteRows(group, batchSize)),
    ...floats.filter((tensor) => !short.includes(tensor)).map((tensor) => markedRows(tensor, batchSize)),
  ];
  return marks.length === 0 ? undefined : marks.reduce((both, next) => logicalAnd(both, next));
}

/** Length of a row up to which one thread of a GPU looks at it. */
const LONGEST_ROW = 1024;

/** Largest number of inputs of a kernel: webgpu binds eight buffers, one of them for the output. */
const MOST_INPUTS = 7;

function inGroups<T>(items: readonly T[], size: number): T[][] {
  return Array.from({length: Math.ceil(items.length / size)}, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** Builds a kernel for each number of inputs, which is its place plus 1. */
const byInputs = (kernelOf: (inputs: readonly string[]) => GpuKernel): GpuKernel[] =>
  Array.from({length: MOST_INPUTS}, (_, last) => kernelOf(Array.from({length: last + 1}, (_, i) => `Part${i}`)));

/** The kernels of {@link shortFiniteRows}. */
const FINITE_ROWS = /* @__PURE__ */ byInputs((inputs) => {
  const look = (input: string) => `
    for (int i = 0; i < length${input}; i++) {
      if (!isNumber(get${input}(row, i))) { found = 0.0; }
    }`;
  return gpuKernel({
    name: `OhemFiniteRows${inputs.length}`,
    inputs,
    dtype: 'bool',
    integers: inputs.map((input) => `length${input}`),
    code: `float found = 1.0; ${inputs.map(look).join('')} setOutput(found);`,
  });
});

function shortFiniteRows(tensors: readonly Tensor[], batchSize: number): Tensor1D {
  const matrices = tensors.map((tensor) => reshape(tensor, [batchSize, tensor.size / batchSize]));
  const kernel = FINITE_ROWS[tensors.length - 1] as GpuKernel;
  return runGpuKernel(
    kernel,
    matrices,
    [batchSize],
    matrices.map(({shape}) => shape[1] as number),
  );
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
const ADDED_BY_HOST = 131_072;

/** Whether the host adds up the numbers. On cpu, kernels are no faster. */
function isForHost({size, shape}: Tensor): boolean {
  if (size <= ADDED_BY_HOST || getBackend() === 'cpu') return true;
  return size % WIDE !== 0 && (shape.at(-1) as number) < WIDE;
}

/**
 * Whether all numbers of a tensor in main memory are finite. A sum with NaN or ∞ is never finite,
 * and in float64 a sum of other squares always is. Many are first added up by kernels, in float32.
 */
export function areFiniteOnHost(tensor: Tensor): boolean {
  if (tensor.dtype !== 'float32' || isSquareSumFinite(tensor)) return true;
  if (!isForHost(tensor) && isTotalFinite(tensor)) return true;
  return Number.isFinite(squaresOnHost(numbersIn<'float32'>(tensor)));
}

function isTotalFinite(tensor: Tensor): boolean {
  return tidy(() => {
    const matrix = tensor.size % WIDE === 0 ? reshape(tensor, [-1, WIDE]) : tensor;
    return Number.isFinite(sum(matrix.rank > 1 ? columnSums(matrix) : matrix).dataSync()[0]);
  });
}

/** From this many numbers on, a kernel that adds up squares is faster than the host. */
const FEWEST_SQUARES = 4096;

/** Whether the kernel for it finds that the sum of squares is finite: then all numbers are, too. */
function isSquareSumFinite(x: Tensor): boolean {
  if (x.size < FEWEST_SQUARES || !isForWasmKernel(SQUARE_SUM, x)) return false;
  return tidy(() => Number.isFinite(numbersIn<'float32'>(runWasmKernel(SQUARE_SUM, {x}))[0]));
}

/** Whether all numbers and the sum of their squares are finite; some optimizers sum the squares. */
export function hasFiniteSquares(gradient: Tensor): boolean {
  if (isSquareSumFinite(gradient)) return true;
  // The sum may be finite in another order, or in float64.
  if (!isForHost(gradient)) return tidy(() => isTotalFinite(square(gradient)));
  return Number.isFinite(Math.fround(squaresOnHost(numbersIn<'float32'>(gradient))));
}

/** Adds up squares in four parts: an addition need not wait for the one before it. */
function squaresOnHost(values: Float32Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += (values[i] as number) ** 2;
    b += (values[i + 1] as number) ** 2;
    c += (values[i + 2] as number) ** 2;
    d += (values[i + 3] as number) ** 2;
  }
  for (let i = whole; i < values.length; i++) a += (values[i] as number) ** 2;
  return a + b + c + d;
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

/** Builds the kernels of {@link partialSums}. */
const sumKernels = (name: string, term: string) =>
  byInputs((inputs) => {
    const addUp = (input: string) => `
      for (int i = row; i < size${input}; i += threads) {
        float x = get${input}(i / columns${input}, i % columns${input});
        ${term}
      }`;
    return gpuKernel({
      name: `${name}${inputs.length}`,
      inputs,
      dtype: 'float32',
      integers: ['threads', ...inputs.flatMap((input) => [`size${input}`, `columns${input}`])],
      code: `float total = 0.0; ${inputs.map(addUp).join('')} setOutput(total);`,
    });
  });
const SQUARES = /* @__PURE__ */ sumKernels('OhemSquares', 'total += x * x;');
const FLAWS = /* @__PURE__ */ sumKernels('OhemFlaws', 'if (!isNumber(x)) { total = NAN; }');

/**
 * Adds up the squares of gradients, and NaN for statistics that are not finite, in parts:
 * `float32[n]`.
 */
export function partialSums(gradients: readonly Tensor[], statistics: readonly Tensor[]): Tensor1D {
  const sumsBy = (kernels: GpuKernel[], tensors: readonly Tensor[]) =>
    inGroups(tensors, MOST_INPUTS).map((group) => {
      const matrices = group.map((tensor) => reshape(tensor, [-1, tensor.shape.at(-1) ?? 1]));
      const size = matrices.reduce((total, matrix) => total + matrix.size, 0);
      const threads = Math.min(2 ** Math.ceil(Math.log2(Math.sqrt(size) + 1)), MOST_THREADS);
      const integers = matrices.flatMap(({size, shape}) => [size, shape[1] as number]);
      return runGpuKernel<Tensor1D>(
        kernels[group.length - 1] as GpuKernel,
        matrices,
        [threads],
        [threads, ...integers],
      );
    });
  return joined([...sumsBy(SQUARES, gradients), ...sumsBy(FLAWS, statistics)]);
}

/** Most parts of a sum, which one thread adds up. */
const MOST_THREADS = 4096;

const joined = (parts: Tensor1D[]): Tensor1D => (parts.length === 1 ? (parts[0] as Tensor1D) : concat(parts));

/** Whether a sum is finite. */
const IS_SUM_NUMBER = /* @__PURE__ */ gpuKernel({
  name: 'OhemIsSumNumber',
  inputs: ['Parts'],
  dtype: 'bool',
  integers: ['count'],
  code: `
    float total = 0.0;
    for (int i = 0; i < count; i++) { total += getParts(i); }
    float found = 0.0;
    if (isNumber(total)) { found = 1.0; }
    setOutput(found);`,
  isPacked: true,
});

/** Whether the sum of some parts is finite, `bool[]`. */
export function isSumFinite(parts: Tensor1D): Scalar {
  return reshape(runGpuKernel(IS_SUM_NUMBER, [parts], [1], [parts.size]), []);
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
