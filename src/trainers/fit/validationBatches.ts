import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkCount, typeError} from '../../checks';
import {type ModelData, modelData, type StepTensors} from '../../models/modelTensors';
import type {BatchSource} from './batchSource';
import {rowsFrom} from './shuffledRows';
import {tensorBatches} from './tensorBatches';

/** The rows of `validationData: [x, y]`. */
export function validationRows(where: string, model: LayersModel, given: [StepTensors, StepTensors]): ModelData {
  if (!Array.isArray(given) || given.length !== 2) {
    throw typeError(where, 'validationData', 'be [x, y]', given, 'Weights of validation rows are not known.');
  }
  return modelData(where, model, given[0], given[1], ['x of validationData', 'y of validationData']);
}

/** Gives the rows of a data set in their order, from `first` on. */
export function batchesInOrder(
  where: string,
  {first, rows, ...data}: ModelData & {first: number},
  batchSize: number,
  limit: number | undefined,
): BatchSource {
  checkCount(where, 'validationBatchSize', batchSize);
  if (limit !== undefined) checkCount(where, 'validationSteps', limit);
  return tensorBatches(data, batchSize, rows - first, () => rowsFrom(first, rows), limit);
}
