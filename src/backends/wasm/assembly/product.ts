import {PANEL} from './kinds';
import {addPanel, copy, PANEL_ROW, pack, WORD} from './panels';

/** A product of matrices: `sums[i, j] = start[i, j] + Σ_k a[i, k] · b[k, j]`. */
@unmanaged
export class Product {
  sums: usize;
  sumsRow: usize;
  a: usize;
  aRow: usize;
  aColumn: usize;
  b: usize;
  bRow: usize;
  bColumn: usize;
  rows: i32;
  inner: i32;
  columns: i32;
  /** Size of a tile. Its columns are a multiple of `PANEL`. */
  tileRows: i32;
  tileColumns: i32;
  /** Terms of a block: its panel of b fits into the fastest cache. */
  blockTerms: i32;
  /** Whether the sums start from the numbers that are there. Otherwise from 0. */
  hasStart: i32;
}

/**
 * Computes one tile. Packs rows of a transposed left factor too.
 *
 *     scratch:  a panel of b | the last columns of the sums | panels of a
 */
export function computeProduct(given: Product, tile: i32, scratch: usize): void {
  const across = (given.columns + given.tileColumns - 1) / given.tileColumns;
  const firstRow = (tile / across) * given.tileRows;
  const firstColumn = (tile % across) * given.tileColumns;
  const rows = min(given.tileRows, given.rows - firstRow);
  const columns = min(given.tileColumns, given.columns - firstColumn);
  const aRow = given.aRow;
  const aColumn = given.aColumn;
  const bRow = given.bRow;
  const bColumn = given.bColumn;
  const sumsRow = given.sumsRow;
  const sums = given.sums + <usize>firstRow * sumsRow + <usize>firstColumn * WORD;
  const panelSize = <usize>given.blockTerms * PANEL_ROW;
  const edge = scratch + panelSize;
  const packedRows = edge + <usize>given.tileRows * PANEL_ROW;
  const isTransposed = aColumn > aRow;
  // The last columns are added up in rows of a whole panel.
  const rest = columns % PANEL;
  const last = sums + <usize>(columns - rest) * WORD;
  if (rest > 0 && given.hasStart !== 0) copy(last, sumsRow, edge, PANEL_ROW, rows, rest);
  for (let k = 0; k < given.inner; k += given.blockTerms) {
    const terms = min(given.blockTerms, given.inner - k);
    const isFirst = k === 0 && given.hasStart === 0;
    const left = given.a + <usize>firstRow * aRow + <usize>k * aColumn;
    if (isTransposed) {
      let packed = packedRows;
      for (let i = 0; i < rows; i += PANEL) {
        pack(left + <usize>i * aRow, aColumn, aRow, packed, terms, min(PANEL, rows - i));
        packed += panelSize;
      }
    }
    for (let j = 0; j < columns; j += PANEL) {
      const count = min(PANEL, columns - j);
      pack(given.b + <usize>k * bRow + <usize>(firstColumn + j) * bColumn, bRow, bColumn, scratch, terms, count);
      const to = count === PANEL ? sums + <usize>j * WORD : edge;
      const toRow = count === PANEL ? sumsRow : PANEL_ROW;
      if (!isTransposed) {
        addPanel(left, aRow, aColumn, scratch, to, toRow, rows, terms, isFirst);
        continue;
      }
      let packed = packedRows;
      for (let i = 0; i < rows; i += PANEL) {
        addPanel(packed, WORD, PANEL_ROW, scratch, to + <usize>i * toRow, toRow, min(PANEL, rows - i), terms, isFirst);
        packed += panelSize;
      }
    }
  }
  if (rest > 0) copy(edge, PANEL_ROW, last, sumsRow, rows, rest);
}
