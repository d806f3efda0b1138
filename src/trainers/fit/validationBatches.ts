import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkCount, typeError} from '../../checks';
import type {StepTensors} from '../stepInputs';
import type {BatchSource} from './batchSource';
import {rowsFrom} from './shuffledRows';
import {type RowData, rowData, tensorBatches} from './tensorBatches';

/** The rows of `validationData: [x, y]`. */
export function validationRows(
  where: string,
  model: LayersModel,
  given: [StepTensors, StepTensors],
): RowData & {count: number} {
  if (!Array.isArray(given) || given.length !== 2) {
    throw typeError(where, 'validationData', 'be [x, y]', given, 'Weights of validation rows are not known.');
  }
  return rowData(where, model, given[0], given[1], ['x of validationData', 'y of validationData']);
}

/** Gives the rows first … count − 1 in their order. */
export function batchesInOrder(
  where: string,
  {first, count, ...rows}: RowData & {first: number; count: number},
  batchSize: number,
  limit: number | undefined,
): BatchSource {
  checkCount(where, 'validationBatchSize', batchSize);
  if (limit !== undefined) checkCount(where, 'validationSteps', limit);
  return tensorBatches(rows, batchSize, count - first, () => rowsFrom(first, count), limit);
}
