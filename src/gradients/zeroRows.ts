/** @file Leaves rows with zero gradients at the model's outputs out of its backward pass. */

import {type Tensor, tensor1d} from '@tensorflow/tfjs-core';
import {leadingPlace, type RowCut, rowCut} from './places';
import type {Start, WalkCut} from './walk';

/**
 * Number of shares that a batch is divided into. A walk takes whole shares, because each number of
 * rows needs its own recording.
 */
const SHARES = 8;

/** A walk over only some rows of a batch. */
export interface ShorterWalk {
  starts: Start[];
  /** The caller disposes it. */
  cut: WalkCut;
}

/**
 * Cuts the walk through a model to the rows whose gradients are not 0.
 *
 * By its shapes, a loss that compares rows has a gradient in all of them. In fact few rows may have
 * one: those of the triplets that violate their margin. Reads the gradients of the outputs.
 *
 * @param starts  the starts of the walk, by the cut so far; the starts in the result replace them.
 * @param outputs  the tensors whose first axis holds the rows.
 * @returns undefined if no row can be left out, or if the walk is already cut.
 */
export function withoutZeroRows(
  starts: readonly Start[],
  outputs: readonly Tensor[],
  batchSize: number,
  before?: RowCut,
): ShorterWalk | undefined {
  const isByRow = ({tensor}: Start) => outputs.includes(tensor) && tensor.shape[0] === batchSize;
  const byRow = starts.filter(isByRow);
  if (batchSize === 1 || byRow.every(({place}) => place)) return undefined;
  const whole = (start: Start) =>
    start.place && before ? before.put(start.value, start.place, start.tensor.shape) : start.value;
  const values = new Map(starts.map((start) => [start, whole(start)]));
  const replace = (start: Start, value: Tensor) => {
    if (start.value !== value) start.value.dispose();
    return value;
  };
  const rows = takenRows(
    byRow.map((start) => values.get(start) as Tensor),
    batchSize,
  );
  if (!rows) {
    for (const [{value}, made] of values) if (made !== value) made.dispose();
    return undefined;
  }
  const cut = rowCut(tensor1d(rows, 'int32'), batchSize);
  const shorter = starts.map((start): Start => {
    const all = replace(start, values.get(start) as Tensor);
    if (!isByRow(start)) return {...start, value: all, place: undefined};
    const place = leadingPlace(start.tensor.shape, batchSize);
    const value = cut.take(all, place);
    all.dispose();
    return {...start, value, place};
  });
  return {starts: shorter, cut: {...cut, from: 0}};
}

/**
 * Finds the rows with a nonzero gradient, in ascending order; undefined if they fill the batch.
 * Other rows fill them up to whole shares of the batch.
 */
function takenRows(gradients: readonly Tensor[], batchSize: number): number[] | undefined {
  const isTaken = new Uint8Array(batchSize);
  for (const gradient of gradients) markRows(gradient.dataSync(), isTaken);
  const share = Math.ceil(batchSize / SHARES);
  const found = isTaken.reduce((total, mark) => total + mark, 0);
  const due = Math.max(1, Math.ceil(found / share)) * share;
  if (due >= batchSize) return undefined;
  let missing = due - found;
  for (let row = 0; missing > 0; row++) {
    if (isTaken[row]) continue;
    isTaken[row] = 1;
    missing--;
  }
  return [...isTaken.keys()].filter((row) => isTaken[row]);
}

/** Marks the rows with a nonzero value; NaN counts as nonzero. */
function markRows(values: ArrayLike<number>, isTaken: Uint8Array): void {
  const width = values.length / isTaken.length;
  for (let row = 0; row < isTaken.length; row++) {
    for (let i = row * width; !isTaken[row] && i < (row + 1) * width; i++) if (values[i] !== 0) isTaken[row] = 1;
  }
}
