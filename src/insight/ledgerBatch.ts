import {cast, clone, Tensor, type Tensor1D, tidy} from '@tensorflow/tfjs-core';
import {rangeError, typeError} from '../checks';
import type {DynamicsOptions, RowDynamics, Selection} from '../types';
import {readTogether} from './readTogether';

/** A batch to record in a ledger, with a number for each of its rows. */
export interface LedgerBatch {
  /** Index of each row in the data set. */
  rows: ArrayLike<number>;
  losses: ArrayLike<number>;
  /** Positive if the row was backpropagated. */
  kept: ArrayLike<number>;
  /** Training dynamics of each row; only a ledger that keeps dynamics reads them. */
  dynamics?: RowDynamics<ArrayLike<number>> | undefined;
}

/** Names of the recorded dynamics, in the order in which they are read. */
const DYNAMICS = ['margins', 'confidences', 'correct', 'errors'] as const;

/** Checks a batch for a ledger of `size` rows. */
export function checkBatch(where: string, size: number, batch: LedgerBatch, keepsDynamics: boolean): void {
  const {rows, losses, kept, dynamics} = batch;
  if (keepsDynamics && !dynamics) {
    const remedy = 'Build the step with {dynamics: true}; its report then has them.';
    throw typeError(where, 'dynamics', 'be given to a ledger that keeps them', dynamics, remedy);
  }
  checkNumbers(where, 'rows', rows);
  const ofDynamics = keepsDynamics ? DYNAMICS.map((name) => [`dynamics.${name}`, dynamics?.[name]] as const) : [];
  for (const [argument, values] of [['losses', losses], ['kept', kept], ...ofDynamics] as const) {
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
  if (keepsDynamics && dynamics) checkProbabilities(where, dynamics.confidences);
}

/** Tolerance by which rounding may push a probability above 1. */
const ROUNDING = 1e-3;

/** Rejects logits that are passed as probabilities: values outside 0 … 1 reveal them. */
function checkProbabilities(where: string, confidences: ArrayLike<number>): void {
  for (let place = 0; place < confidences.length; place++) {
    const p = confidences[place] as number;
    if (!(p < -ROUNDING || p > 1 + ROUNDING)) continue;
    const remedy = 'If the model returns logits, pass {dynamics: {fromLogits: true}}.';
    throw rangeError(where, 'dynamics', 'hold probabilities from 0 to 1', `${p} at position ${place}`, remedy);
  }
}

/** Checks that a value is a list of numbers, by its type, not by its entries. */
function checkNumbers(
  where: string,
  argument: string,
  values: ArrayLike<number> | undefined,
): asserts values is ArrayLike<number> {
  if (typeof values !== 'object' || typeof values?.length !== 'number') {
    throw typeError(where, argument, 'be an array of numbers or a typed array', values);
  }
}

/** The parts of a step's report that a ledger records. */
export interface ObservedStep {
  /** `float32[B]`, the loss of every row. */
  losses: Tensor1D;
  /** Rows that were backpropagated. */
  selection: Selection;
  /** Training dynamics of each row, for a ledger that keeps them. */
  dynamics?: RowDynamics<Tensor1D> | undefined;
}

/** Integers up to this one are exact in float32, in which row indices are read with the losses. */
const EXACT = 2 ** 24;

/** Reads a step's report in one read. Takes the tensors at once, so the caller may dispose them. */
export async function readStep(
  where: string,
  size: number,
  rows: ArrayLike<number> | Tensor1D,
  report: ObservedStep,
  kept: Required<DynamicsOptions> | undefined,
): Promise<LedgerBatch> {
  checkReport(where, report);
  if (kept) checkSameKind(where, kept, report.dynamics);
  const keepsDynamics = kept !== undefined;
  const {losses, selection} = report;
  const figures = () => entriesOf(keepsDynamics ? report : {losses, selection});
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

/** The tensors that a ledger records of a step, in the order in which they are read. */
export function enteredTensors({losses, selection: {indices, weights}, dynamics}: ObservedStep): Tensor1D[] {
  return [losses, indices, weights, ...(dynamics ? DYNAMICS.map((name) => dynamics[name]) : [])];
}

/** Copies the recorded tensors of a step as float32. */
export function entriesOf(report: ObservedStep): Tensor1D[] {
  return enteredTensors(report).map((tensor) => (tensor.dtype === 'float32' ? clone(tensor) : cast(tensor, 'float32')));
}

/** Converts the numbers of {@link enteredTensors} to the entries of a ledger. */
export function entered(read: Float32Array[]): {
  losses: Float32Array;
  kept: Uint8Array;
  dynamics?: RowDynamics<Float32Array>;
} {
  const [losses, indices, weights, ...ofDynamics] = read as [Float32Array, Float32Array, Float32Array];
  const kept = new Uint8Array(losses.length);
  for (const [place, row] of indices.entries()) if ((weights[place] as number) > 0) kept[row] = 1;
  if (ofDynamics.length === 0) return {losses, kept};
  const [margins, confidences, correct, errors] = ofDynamics as Float32Array[] as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  return {losses, kept, dynamics: {margins, confidences, correct, errors}};
}

/** Checks that the step and the ledger agree about `fromLogits`. */
function checkSameKind(
  where: string,
  {fromLogits}: Required<DynamicsOptions>,
  dynamics: ObservedStep['dynamics'],
): void {
  const ofStep = dynamics?.fromLogits;
  if (ofStep === undefined || ofStep === fromLogits) return;
  const remedy = 'Build the ledger and the step with the same {dynamics: {fromLogits}}.';
  throw rangeError(where, 'fromLogits', `be ${fromLogits} in the step as in the ledger`, ofStep, remedy);
}

function checkReport(where: string, report: ObservedStep): void {
  const {losses, selection, dynamics} = report ?? {};
  const ofDynamics = dynamics ? DYNAMICS.map((name) => dynamics[name]) : [];
  const tensors = [losses, selection?.indices, selection?.weights, ...ofDynamics];
  if (!tensors.every((tensor) => tensor instanceof Tensor)) {
    throw typeError(where, 'report', 'be the report of a step, {losses, selection}', report);
  }
  if (tensors.some((tensor) => tensor.isDisposed)) {
    const remedy = 'Call observe() before read() or dispose().';
    throw typeError(where, 'report', 'not be disposed', 'a disposed one', remedy);
  }
}
