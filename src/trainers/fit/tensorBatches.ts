import {dispose, type Tensor, type Tensor1D, tensor1d, tidy} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkRows, rangeError, typeError} from '../../checks';
import {takeRows} from '../../gradients/rows';
import type {SelectionContext} from '../../types';
import {tensorsByName} from '../byOutput';
import {isNumbers, type SampleWeights, type StepTensors} from '../stepInputs';
import type {BatchSource, TrainingBatch} from './batchSource';

/** What a selector may want to know of each row of the data; see {@link SelectionContext}. */
export type RowContext = Pick<SelectionContext, 'valid' | 'positive' | 'group' | 'boxes' | 'reference'>;

/** Data in tensors: the rows of all of them belong together. */
export interface RowData {
  xs: Tensor[];
  ys: Tensor[];
  sampleWeight?: SampleWeights | undefined;
  context?: RowContext | undefined;
}

/** Puts the data in the order of the model, and counts its rows. */
export function rowData(
  where: string,
  model: LayersModel,
  x: StepTensors,
  y: StepTensors,
  [nameOfX, nameOfY]: readonly [string, string] = ['x', 'y'],
): RowData & {count: number} {
  const xs = tensorsByName(where, nameOfX, model.inputNames, x);
  const ys = tensorsByName(where, nameOfY, model.outputNames, y);
  const count = xs[0]?.shape[0] ?? 0;
  if (count === 0) throw rangeError(where, nameOfX, 'have at least one row', xs[0]?.shape);
  for (const [name, tensors] of [[nameOfX, xs] as const, [nameOfY, ys] as const]) {
    const other = tensors.find((tensor) => tensor.shape[0] !== count);
    if (other) throw typeError(where, name, `have ${count} rows, as many as the first of ${nameOfX}`, other.shape);
  }
  return {xs, ys, count};
}

/**
 * Gives batches of rows gathered from tensors: of the data only the rows of the batch at hand are copied.
 *
 * @param order  the rows of an epoch, in the order in which they are trained on.
 * @param limit  how many batches an epoch has; default all of them.
 */
export function tensorBatches(
  {xs, ys, sampleWeight, context = {}}: RowData,
  batchSize: number,
  rowCount: number,
  order: (epoch: number) => Int32Array,
  limit?: number,
): BatchSource {
  const batchesPerEpoch = Math.min(Math.ceil(rowCount / batchSize), limit ?? Number.POSITIVE_INFINITY);
  const numbers =
    sampleWeight !== undefined && isNumbers(sampleWeight) ? tensor1d(Array.from(sampleWeight)) : undefined;
  const weights = numbers ?? (sampleWeight as Exclude<SampleWeights, ArrayLike<number>> | undefined);
  const take = (rows: Int32Array) =>
    tidy(() => {
      const indices = tensor1d(rows, 'int32');
      const taken = <T>(tensors: T): T => takeEach(tensors, indices);
      return {
        xs: taken(xs),
        ys: taken(ys),
        options: {...(weights && {sampleWeight: taken(weights)}), ...taken({...context})},
      };
    });
  return {
    batchesPerEpoch,
    samples: rowCount,
    async *batches({epoch, batch: first}) {
      const ofEpoch = order(epoch);
      for (let batch = first; batch < batchesPerEpoch; batch++) {
        const rows = ofEpoch.slice(batch * batchSize, Math.min((batch + 1) * batchSize, rowCount));
        const taken = take(rows);
        try {
          yield {...taken, rows, size: rows.length} satisfies TrainingBatch;
        } finally {
          dispose(taken);
        }
      }
    },
    async close() {
      numbers?.dispose();
    },
  };
}

/** Checks what goes with each row of the data. */
export function checkRowData(where: string, {sampleWeight, context = {}}: RowData, count: number): void {
  for (const [name, tensor] of Object.entries(context)) {
    if (name === 'boxes' && tensor?.shape[0] === count) continue;
    checkRows(where, `context.${name}`, tensor as Tensor, count);
  }
  if (sampleWeight === undefined) return;
  if (isNumbers(sampleWeight)) {
    if (sampleWeight.length !== count)
      throw typeError(where, 'sampleWeight', `have ${count} numbers, one for each row`, `${sampleWeight.length}`);
    return;
  }
  const tensors = 'shape' in sampleWeight ? [sampleWeight as Tensor] : Object.values(sampleWeight);
  for (const tensor of tensors) checkRows(where, 'sampleWeight', tensor, count);
}

function takeEach<T>(tensors: T, rows: Tensor1D): T {
  if (tensors === undefined || tensors === null) return tensors;
  if (typeof tensors === 'object' && 'dataId' in tensors) return takeRows(tensors as unknown as Tensor, rows) as T;
  if (Array.isArray(tensors)) return tensors.map((tensor) => takeEach(tensor, rows)) as T;
  return Object.fromEntries(
    Object.entries(tensors as object).map(([name, tensor]) => [name, takeEach(tensor, rows)]),
  ) as T;
}
