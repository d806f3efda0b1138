import {
  _FusedMatMul,
  type _FusedMatMulAttrs,
  BatchMatMul,
  backend_util,
  Concat,
  GatherNd,
  Identity,
  type TensorInfo,
  Transpose,
  util,
} from '@tensorflow/tfjs-core';
import {fillRows, isEmpty} from './floats';
import {WORD} from './jobs';
import {type Matrix, multiplyMatrices} from './product';
import {sliceAt} from './slices';
import type {Inputs, WasmKernel, Workbench} from './workbench';

/**
 * From this many multiplications and rows on, a separate product is faster than its part of the
 * stock loop.
 */
const LARGE = {multiplications: 2 ** 16, rows: 8};

/** Up to this many multiplications, the stock loop is faster than a transpose and a product. */
const TINY = 4096;

/** With fewer rows, packing the right factor takes longest, and XNNPACK keeps it packed. */
const FEW_ROWS = 8;

type Transposition = Pick<_FusedMatMulAttrs, 'transposeA' | 'transposeB'>;
type FusedInputs = Inputs<'a' | 'b'> & {bias?: TensorInfo; preluActivationWeights?: TensorInfo};
type Views = [sums: Float32Array, left: Float32Array, right: Float32Array, start?: Float32Array];
const NOT_TRANSPOSED: Transposition = {transposeA: false, transposeB: false};

/**
 * Multiplies matrices where they lie, transposed or not. Where that code cannot run, by plain
 * products of two matrices, the only form that XNNPACK computes.
 *
 *     aᵀ · b                    → transpose(a) · b
 *     [a₁, a₂, …] · b           → the rows of all aᵢ as one matrix, times b
 *     [a₁ · b₁, a₂ · b₂, …]     → one product after another, if they are large
 *
 * The stock kernel uses a naive loop for all of these, including both gradients of a dense layer.
 */
export const fastMatMul: WasmKernel = {
  kernelName: BatchMatMul,
  from: [BatchMatMul, Concat, GatherNd, Identity, Transpose],
  compute(bench, {a, b}: Inputs<'a' | 'b'>, attrs: Transposition) {
    const result = direct(bench, {a, b}, attrs);
    if (result) return result;
    if (isPlain(a, b, attrs) || !arePaired(a, b, attrs) || isSmall(a, b, attrs))
      return bench.run(BatchMatMul, {a, b: asRightFactor(bench, b)}, attrs);
    return composed(bench, a, b, attrs, (a, b) => bench.run(BatchMatMul, {a, b}, NOT_TRANSPOSED));
  },
};

/**
 * Multiplies matrices of any size with a bias and an activation, in the same way.
 *
 * The stock loop is never used: it adds the bias to the wrong columns, and applies the activation
 * to partial sums.
 */
export const fastFusedMatMul: WasmKernel = {
  kernelName: _FusedMatMul,
  from: [_FusedMatMul, Concat, GatherNd, Identity, Transpose],
  compute(bench, inputs: FusedInputs, attrs: _FusedMatMulAttrs) {
    const {a, b, bias} = inputs;
    const result = attrs.activation === 'linear' && direct(bench, inputs, attrs);
    if (result) return result;
    const vector = bias && asVector(bench, bias, sides(b, attrs.transposeB)[1]);
    const rest = vector === bias ? inputs : {...inputs, bias: vector as TensorInfo};
    if (isPlain(a, b, attrs) || !arePaired(a, b, attrs)) {
      const factor = asRightFactor(bench, b);
      return bench.run(_FusedMatMul, factor === b ? rest : {...rest, b: factor}, attrs);
    }
    const plain = {...attrs, ...NOT_TRANSPOSED};
    return composed(bench, a, b, attrs, (a, b) => bench.run(_FusedMatMul, {...rest, a, b}, plain));
  },
};

/**
 * Multiplies matrices where they lie. Returns undefined for what is left to the stock kernel, which
 * refuses some of it.
 */
function direct(
  bench: Workbench,
  {a, b, bias}: FusedInputs,
  {transposeA, transposeB}: Transposition,
): TensorInfo | undefined {
  const given = bias ? [a, b, bias] : [a, b];
  if (given.some(({dtype}) => dtype !== 'float32')) return undefined;
  if (!arePaired(a, b, {transposeA, transposeB})) return undefined;
  const [rows, inner] = sides(a, transposeA);
  const [, columns] = sides(b, transposeB);
  if (bias && !isRow(bias, columns)) return undefined;
  // Matrices with one right factor are the rows of one matrix, unless they are transposed.
  const [countA, countB] = [matricesIn(a), matricesIn(b)];
  const isOne = countB === 1 && !transposeA;
  const [count, height] = isOne ? [1, countA * rows] : [Math.max(countA, countB), rows];
  const isNothing = isEmpty(a) || isEmpty(b);
  if (isPlain(a, b, {transposeA, transposeB}) && height < FEW_ROWS && !isNothing) return undefined;
  const jobs = bench.jobsFor(height * inner * columns);
  if (!jobs) return undefined;
  const result = bench.makeEmpty([...outerShape(a, b), rows, columns], 'float32');
  const [sums, left, right, start] = bench.views(result, ...given) as Views;
  if (start && !isEmpty(result)) fillRows(sums, start);
  else if (isNothing) sums.fill(0);
  if (isNothing) return result;
  const [toSums, toLeft, toRight] = [sums, left, right].map(({byteOffset}) => byteOffset) as [number, number, number];
  for (let i = 0; i < count; i++) {
    const leftAt = toLeft + (countA === 1 ? 0 : i * rows * inner * WORD);
    const rightAt = toRight + (countB === 1 ? 0 : i * inner * columns * WORD);
    const factors = [matrixAt(leftAt, transposeA, rows, inner), matrixAt(rightAt, transposeB, inner, columns)] as const;
    multiplyMatrices(jobs, toSums + i * rows * columns * WORD, ...factors, height, inner, columns, start !== undefined);
  }
  return result;
}

/**
 * Returns the right factor of a product; a copy if its data was created with rows of another
 * length.
 *
 * XNNPACK caches a packed right factor by its data id alone. The same data in another shape would
 * be read in the old shape.
 */
function asRightFactor(bench: Workbench, b: TensorInfo): TensorInfo {
  const isAsMade = bench.shapeOfData(b).at(-1) === b.shape.at(-1);
  return isAsMade ? b : bench.run(Identity, {x: b});
}

/** Returns a bias; a copy if it was not created as a vector, which the stock kernel refuses. */
function asVector(bench: Workbench, bias: TensorInfo, columns: number): TensorInfo {
  const isVector = bias.shape.length === 1 && bench.shapeOfData(bias).length === 1;
  return isVector || !isRow(bias, columns) ? bias : bench.run(Identity, {x: {...bias, shape: [columns]}});
}

/** Whether the same numbers are added to each row. */
function isRow({shape}: TensorInfo, columns: number): boolean {
  return shape.at(-1) === columns && util.sizeFromShape(shape) === columns;
}

/**
 * Whether the stock kernel computes it as one product of two matrices, or has nothing to multiply.
 */
function isPlain(a: TensorInfo, b: TensorInfo, {transposeA, transposeB}: Transposition): boolean {
  if (isEmpty(a) || isEmpty(b)) return true;
  return !transposeA && !transposeB && matricesIn(a) === 1 && matricesIn(b) === 1;
}

/** Whether each matrix on one side pairs with one on the other side, or with all of them. */
function arePaired(a: TensorInfo, b: TensorInfo, {transposeA, transposeB}: Transposition): boolean {
  const isSame = util.arraysEqual(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const isFitting = sides(a, transposeA)[1] === sides(b, transposeB)[0];
  return isFitting && (isSame || matricesIn(a) === 1 || matricesIn(b) === 1);
}

function isSmall(a: TensorInfo, b: TensorInfo, {transposeA, transposeB}: Transposition): boolean {
  const [rows, inner] = sides(a, transposeA);
  const [, columns] = sides(b, transposeB);
  if (matricesIn(b) === 1) return matricesIn(a) * rows * inner * columns <= TINY;
  return rows < LARGE.rows || rows * inner * columns < LARGE.multiplications;
}

/** Returns the rows and columns of each matrix, after any transposition. */
function sides({shape}: TensorInfo, isTransposed: boolean): [number, number] {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return isTransposed ? [columns, rows] : [rows, columns];
}

function outerShape(a: TensorInfo, b: TensorInfo): number[] {
  return backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
}

/** Returns a matrix of rows and columns, which lies there as its transpose or not. */
function matrixAt(at: number, isTransposed: boolean, rows: number, columns: number): Matrix {
  return isTransposed ? {at, row: WORD, column: rows * WORD} : {at, row: columns * WORD, column: WORD};
}

function matricesIn({shape}: TensorInfo): number {
  return util.sizeFromShape(shape.slice(0, -2));
}

/** Multiplies matrices by plain products of two. */
function composed(
  bench: Workbench,
  a: TensorInfo,
  b: TensorInfo,
  {transposeA, transposeB}: Transposition,
  /** Multiplies two matrices, float32[1, M, K] and float32[1, K, N]. */
  multiply: (a: TensorInfo, b: TensorInfo) => TensorInfo,
): TensorInfo {
  const left = transposeA ? transposed(bench, a) : a;
  const right = transposeB ? transposed(bench, b) : b;
  const [countA, countB] = [matricesIn(a), matricesIn(b)];
  const [rows, inner] = sides(a, transposeA);
  const [, columns] = sides(b, transposeB);
  const shapeB = [1, inner, columns];
  const shape = [...outerShape(a, b), rows, columns];
  if (countB === 1) {
    const matrix = asRightFactor(bench, {...right, shape: shapeB});
    return {...multiply({...left, shape: [1, countA * rows, inner]}, matrix), shape};
  }
  const products = Array.from({length: countB}, (_, i) =>
    bench.piece(() =>
      multiply(sliceAt(bench, left, [1, rows, inner], countA === 1 ? 0 : i), sliceAt(bench, right, shapeB, i)),
    ),
  );
  return {...bench.run(Concat, products, {axis: 0}), shape};
}

function transposed(bench: Workbench, matrices: TensorInfo): TensorInfo {
  const {length} = matrices.shape;
  const perm = [...matrices.shape.keys()].slice(0, -2).concat(length - 1, length - 2);
  return bench.run(Transpose, {x: matrices}, {perm});
}
