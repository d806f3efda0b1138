import {PANEL, PRODUCT} from './assembly/kinds';
import {type Jobs, PANEL_ROW, WORD} from './jobs';

/**
 * A matrix in the memory of the backend: its first byte, and the bytes from row to row, and from
 * column to column.
 */
export interface Matrix {
  at: number;
  row: number;
  column: number;
}

/** The most rows of a tile, and terms of a block: its panel of b fits into the fastest cache. */
const MOST_ROWS = 256;
const BLOCK_TERMS = 512;

/** Packing a number of a takes less time than this many multiplications with it. */
const FEW = 8;

/**
 * Computes a product in the rows of `sums`, which are adjacent:
 *
 *     sums[i, j] = start + Σ_k a[i, k] · b[k, j],    with rows × inner × columns multiplications
 *
 * @param inner  at least 1.
 * @param hasStart  whether `start` is the numbers that are there; otherwise it is 0.
 */
export function multiplyMatrices(
  jobs: Jobs,
  sums: number,
  a: Matrix,
  b: Matrix,
  rows: number,
  inner: number,
  columns: number,
  hasStart: boolean,
): void {
  const multiplications = rows * inner * columns;
  const parts = jobs.tilesFor(multiplications);
  const isTransposed = a.column > a.row;
  // Each tile of columns packs all rows of a transposed a, so rows are cut unless there are few.
  const isInRows = isTransposed ? FEW * rows > columns : rows > columns;
  const tileRows = Math.min(MOST_ROWS, isInRows ? piece(rows, parts) : rows);
  const tileColumns = piece(columns, isInRows ? 1 : parts);
  const tiles = Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns);
  const blockTerms = Math.min(BLOCK_TERMS, inner);
  const panels = isTransposed ? 1 + Math.ceil(tileRows / PANEL) : 1;
  const packedRows = panels * blockTerms + tileRows;
  // The fields of Product.
  jobs.run(PRODUCT, {tiles, threads: jobs.threadsFor(multiplications)}, packedRows * PANEL_ROW, [
    ...[sums, columns * WORD, a.at, a.row, a.column, b.at, b.row, b.column],
    ...[rows, inner, columns, tileRows, tileColumns, blockTerms, Number(hasStart)],
  ]);
}

/** Returns the length of a piece, in whole panels. */
function piece(length: number, pieces: number): number {
  return Math.ceil(length / pieces / PANEL) * PANEL;
}
