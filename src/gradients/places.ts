/** @file Positions of the rows of a batch in a tensor, and cutting of tensors to some rows. */

import {
  add,
  cast,
  dispose,
  keep,
  mul,
  range,
  reshape,
  scalar,
  type Tensor,
  type Tensor1D,
  tidy,
  util,
} from '@tensorflow/tfjs-core';
import {gatherRows, scatterRows} from '../rows';

/**
 * Position of the rows of a batch in a tensor of size `outer · B · inner`. The element at flat
 * index `i` belongs to row `⌊i / inner⌋ mod B`. Reshaping preserves a place, transposing moves it.
 */
export interface Place {
  outer: number;
  inner: number;
}

/** A place on the single axis that holds the rows, of size `before · B · after`. */
export interface AxisPlace {
  axis: number;
  before: number;
  after: number;
}

type Shape = readonly number[];

export const sizeOf = (shape: Shape): number => util.sizeFromShape(shape as number[]);
export const isSameShape = (a: Shape, b: Shape): boolean => util.arraysEqual(a as number[], b as number[]);
export const isSamePlace = (a: Place, b: Place): boolean => a.outer === b.outer && a.inner === b.inner;

/** Returns the place of rows on the first axis. */
export function leadingPlace(shape: Shape, batchSize: number): Place {
  return {outer: 1, inner: sizeOf(shape) / batchSize};
}

/**
 * Finds the axis that holds the rows; undefined if they span several axes: 12 rows in `[3, 4, D]`.
 */
export function axisOf(shape: Shape, place: Place, batchSize: number): AxisPlace | undefined {
  if (sizeOf(shape) !== place.outer * batchSize * place.inner) return undefined;
  let suffix = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const block = suffix * (shape[axis] as number);
    if (place.inner % suffix === 0 && block % (place.inner * batchSize) === 0) {
      return {axis, before: block / (place.inner * batchSize), after: place.inner / suffix};
    }
    suffix = block;
  }
  return undefined;
}

/** Returns the place of rows on an axis of a shape; undefined if the axis has another size. */
export function placeAt(shape: Shape, axis: number, {before, after}: Omit<AxisPlace, 'axis'>, batchSize: number) {
  if (shape[axis] !== before * batchSize * after) return undefined;
  return {outer: sizeOf(shape.slice(0, axis)) * before, inner: after * sizeOf(shape.slice(axis + 1))};
}

/** Returns the shape of a tensor cut to `kept` rows. */
export function cutShape(shape: Shape, place: Place, batchSize: number, kept: number): number[] {
  const {axis} = axisOf(shape, place, batchSize) as AxisPlace;
  return shape.map((size, i) => (i === axis ? (size / batchSize) * kept : size));
}

/** Cuts tensors to some rows of a batch, at any place. */
export type RowCut = ReturnType<typeof rowCut>;

/** Builds a cut to the rows `int32[K]`; the caller disposes it. */
export function rowCut(rows: Tensor1D, batchSize: number) {
  const kept = rows.size;
  /** Row indices per number of rounds of the batch, `int32[outer · K, 1]`. */
  const numbers = new Map<number, Tensor>();
  const inRounds = (outer: number): Tensor => {
    const known = numbers.get(outer);
    if (known) return known;
    const all = tidy(() => {
      const each = rows.dtype === 'int32' ? rows : cast(rows, 'int32');
      if (outer === 1) return keep(reshape(each, [kept, 1]));
      const offsets = mul(reshape(range(0, outer, 1, 'int32'), [outer, 1]), scalar(batchSize, 'int32'));
      return keep(reshape(cast(add(offsets, reshape(each, [1, kept])), 'int32'), [outer * kept, 1]));
    });
    numbers.set(outer, all);
    return all;
  };
  return {
    rows,
    batchSize,
    kept,
    /** Gathers the kept rows of a tensor. */
    take(tensor: Tensor, place: Place): Tensor {
      const {outer, inner} = place;
      const [matrix, shape] = [[outer * batchSize, inner], cutShape(tensor.shape, place, batchSize, kept)];
      // Fast path: most saved tensors are matrices with rows on the first axis, and need a single
      // op.
      if (isSameShape(tensor.shape, matrix)) return gatherRows(tensor, inRounds(outer));
      return tidy(() => reshape(gatherRows(reshape(tensor, matrix), inRounds(outer)), shape));
    },
    /** Scatters the kept rows into zeros; rows that are kept twice are added. */
    put: (values: Tensor, {outer, inner}: Place, shape: Shape): Tensor =>
      tidy(() => {
        const updates = reshape(values, [outer * kept, inner]);
        return reshape(scatterRows(inRounds(outer), updates, outer * batchSize), [...shape]);
      }),
    dispose: (): void => dispose([...numbers.values()]),
  };
}
