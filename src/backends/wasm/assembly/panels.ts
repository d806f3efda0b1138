/**
 * @file Steps of all products.
 *
 * XNNPACK packs its right factor anew whenever it changes, number by number, which takes as long as
 * the product itself for a layer of few rows; and tfjs gives it no transposed factors. Here a panel
 * of eight columns is packed at a time, just before it is read. The sums are the same, bit for bit:
 * they add up in the order of the inner axis.
 *
 * Counts are at least 1. All other lengths are in bytes.
 */
import {PANEL} from './kinds';

/** Bytes of a number. */
export const WORD: usize = 4;
/** Bytes of a row of a packed panel. */
export const PANEL_ROW: usize = <usize>PANEL * WORD;

/** Copies `count` numbers of each row: `to[i, j] = from[i, j]`. */
export function copy(from: usize, fromRow: usize, to: usize, toRow: usize, rows: i32, count: i32): void {
  const length = <usize>count * WORD;
  for (; rows > 0; rows--) {
    for (let at: usize = 0; at < length; at += WORD) store<i32>(to + at, load<i32>(from + at));
    from += fromRow;
    to += toRow;
  }
}

/**
 * Packs up to `PANEL` columns of a matrix: `packed[i, j] = from[i, j]`, with rows of `PANEL`
 * numbers. Those of missing columns stay what they were.
 */
export function pack(from: usize, row: usize, column: usize, packed: usize, rows: i32, columns: i32): void {
  const end = packed + <usize>rows * PANEL_ROW;
  if (column === WORD && columns === PANEL) {
    for (; packed < end; packed += PANEL_ROW) {
      v128.store(packed, v128.load(from));
      v128.store(packed, v128.load(from, 16), 16);
      from += row;
    }
    return;
  }
  for (let j = 0; j < columns; j++) {
    let read = from + <usize>j * column;
    for (let to = packed + <usize>j * WORD; to < end; to += PANEL_ROW) {
      store<i32>(to, load<i32>(read));
      read += row;
    }
  }
}

/**
 * Adds a product with a packed panel: `c[rows, PANEL] += a[rows, inner] · b[inner, PANEL]`, in the
 * order of the inner axis. If it is the first, the sums start from 0, whatever c holds.
 *
 * Four rows at a time: their eight vectors of sums, one of a and two of b fit into the registers of
 * all processors. Rows past the end are the last row once more: they compute the same numbers and
 * store them in the same place.
 */
export function addPanel(
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  inner: i32,
  isFirst: bool,
): void {
  const end = b + <usize>inner * PANEL_ROW;
  for (; rows > 0; rows -= 4) {
    let a0 = a;
    let a1 = rows > 1 ? a0 + aRow : a0;
    let a2 = rows > 2 ? a1 + aRow : a1;
    let a3 = rows > 3 ? a2 + aRow : a2;
    const c1 = rows > 1 ? c + cRow : c;
    const c2 = rows > 2 ? c1 + cRow : c1;
    const c3 = rows > 3 ? c2 + cRow : c2;
    let s00 = f32x4.splat(0);
    let s01 = s00;
    let s10 = s00;
    let s11 = s00;
    let s20 = s00;
    let s21 = s00;
    let s30 = s00;
    let s31 = s00;
    if (!isFirst) {
      s00 = v128.load(c);
      s01 = v128.load(c, 16);
      s10 = v128.load(c1);
      s11 = v128.load(c1, 16);
      s20 = v128.load(c2);
      s21 = v128.load(c2, 16);
      s30 = v128.load(c3);
      s31 = v128.load(c3, 16);
    }
    let term = b;
    do {
      const b0 = v128.load(term);
      const b1 = v128.load(term, 16);
      let left = v128.load_splat<f32>(a0);
      s00 = f32x4.add(s00, f32x4.mul(left, b0));
      s01 = f32x4.add(s01, f32x4.mul(left, b1));
      left = v128.load_splat<f32>(a1);
      s10 = f32x4.add(s10, f32x4.mul(left, b0));
      s11 = f32x4.add(s11, f32x4.mul(left, b1));
      left = v128.load_splat<f32>(a2);
      s20 = f32x4.add(s20, f32x4.mul(left, b0));
      s21 = f32x4.add(s21, f32x4.mul(left, b1));
      left = v128.load_splat<f32>(a3);
      s30 = f32x4.add(s30, f32x4.mul(left, b0));
      s31 = f32x4.add(s31, f32x4.mul(left, b1));
      a0 += aColumn;
      a1 += aColumn;
      a2 += aColumn;
      a3 += aColumn;
      term += PANEL_ROW;
    } while (term < end);
    v128.store(c, s00);
    v128.store(c, s01, 16);
    v128.store(c1, s10);
    v128.store(c1, s11, 16);
    v128.store(c2, s20);
    v128.store(c2, s21, 16);
    v128.store(c3, s30);
    v128.store(c3, s31, 16);
    a += aRow << 2;
    c += cRow << 2;
  }
}
