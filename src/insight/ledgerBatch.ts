import {cast, clone, Tensor, type Tensor1D, tidy} from '@tensorflow/tfjs-core';
import {rangeError, typeError} from '../checks';
import type {Selection} from '../types';
import {readTogether} from './readTogether';

/** A batch as a ledger enters it, with a number for each of its rows. */
export interface LedgerBatch {
  /** The row of the data set that it is. */
  rows: ArrayLike<number>;
  losses: ArrayLike<number>;
  /** Over 0 where it was backpropagated. */
  kept: ArrayLike<number>;
}

/** Checks a batch for a ledger of `size` rows. */
export function checkBatch(where: string, size: number, {rows, losses, kept}: LedgerBatch): void {
  checkNumbers(where, 'rows', rows);
  for (const [argument, values] of Object.entries({losses, kept})) {
    checkNumbers(where, argument, values);
    if (values.length !== rows.length) {
      throw typeError(where, argument, `hold one number for each of the ${rows.length} rows`, `${values.length}`);
    }
  }
  for (let place = 0; place < rows.length; place++) {
    const row = rows[place] as number;
    if (!(Number.isInteger(row) && row >= 0 && row < size)) {
      throw rangeError(where, 'rows', `hold integers from 0 to ${size - 1}`, `${row} at position ${place}`);
    }
  }
}

/** Checks that something is a list of numbers, by what it is, not by what it holds. */
function checkNumbers(where: string, argument: string, values: ArrayLike<number> | undefined): void {
  if (typeof values !== 'object' || typeof values?.length !== 'number') {
    throw typeError(where, argument, 'be an array of numbers or a typed array', values);
  }
}

/** What a ledger takes of the report of a step. */
export interface ObservedStep {
  /** `float32[B]`, the loss of every row. */
  losses: Tensor1D;
  /** Which rows were backpropagated. */
  selection: Selection;
}

/** Whole numbers up to this one are the same as float32, as which row numbers are read together with the losses. */
const EXACT = 2 ** 24;

/** Reads what a step saw and did, by one read. What it reads it takes at once: the report may be disposed meanwhile. */
export async function readStep(
  where: string,
  size: number,
  rows: ArrayLike<number> | Tensor1D,
  report: ObservedStep,
): Promise<LedgerBatch> {
  checkReport(where, report);
  const figures = () => entriesOf(report);
  const batchOf = (rowsRead: ArrayLike<number>, read: Float32Array[]) => ({rows: rowsRead, ...entered(read)});
  if (!(rows instanceof Tensor)) {
    checkNumbers(where, 'rows', rows);
    const copied = Array.from(rows);
    return batchOf(copied, await readTogether(tidy(figures)));
  }
  if (rows.dtype !== 'int32' || rows.rank !== 1) {
    throw typeError(where, 'rows', 'be numbers or a tensor int32[B]', rows);
  }
  if (size > EXACT) {
    const [rowsRead, read] = await Promise.all([rows.data<'int32'>(), readTogether(tidy(figures))]);
    return batchOf(rowsRead, read);
  }
  const [rowsRead, ...read] = await readTogether(tidy(() => [cast(rows, 'float32'), ...figures()]));
  return batchOf(rowsRead as Float32Array, read);
}

/** What is to be read of a step for a ledger, in tensors of its own. */
export function entriesOf({losses, selection: {indices, weights}}: ObservedStep): Tensor1D[] {
  return [clone(losses), cast(indices, 'float32'), clone(weights)];
}

/** What a ledger enters, from what was read of {@link entriesOf}. */
export function entered(read: Float32Array[]): {losses: Float32Array; kept: Uint8Array} {
  const [losses, indices, weights] = read as [Float32Array, Float32Array, Float32Array];
  const kept = new Uint8Array(losses.length);
  for (const [place, row] of indices.entries()) if ((weights[place] as number) > 0) kept[row] = 1;
  return {losses, kept};
}

function checkReport(where: string, report: ObservedStep): void {
  const {losses, selection} = report ?? {};
  const tensors = [losses, selection?.indices, selection?.weights];
  if (!tensors.every((tensor) => tensor instanceof Tensor)) {
    throw typeError(where, 'report', 'be the report of a step, {losses, selection}', report);
  }
  if (tensors.some((tensor) => tensor.isDisposed)) {
    const remedy = 'Begin to observe it before read() or dispose().';
    throw typeError(where, 'report', 'hold its tensors still', 'a disposed one', remedy);
  }
}
