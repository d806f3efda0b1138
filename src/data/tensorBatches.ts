import {Tensor, tensor1d, tensor2d, tidy} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkCount, checkRows, typeError} from '../checks';
import {type BatchNames, type ModelData, modelData, type StepTensors} from '../models/modelTensors';
import {shuffled, uniformFrom} from '../random';
import type {Granularity} from '../types';
import {isNumbers, type RowContext, type SampleWeights} from './batchOptions';
import type {BatchesAtOnce, BatchSource, ChosenRows, TrainingBatch} from './batchSource';
import {disposeEach, rowsOfEach, type WeightTensors, weighted} from './rowsOfEach';

/** Data in tensors that share their rows. */
export interface RowData {
  xs: StepTensors;
  ys: Tensor[];
  sampleWeight?: SampleWeights | undefined;
  context?: RowContext | undefined;
}

/**
 * Builds a source of batches gathered from tensors; copies only the rows of the current batch.
 *
 * @param order  the rows of an epoch, in training order.
 * @param limit  number of batches per epoch; default all of them.
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
  const weights = numbers ?? (sampleWeight as WeightTensors | undefined);
  const take: Take = (rows, counts) =>
    tidy(() => {
      const column = tensor2d(rows, [rows.length, 1], 'int32');
      const taken = <T>(tensors: T): T => rowsOfEach(tensors, column);
      const sampleWeight = weighted(weights && taken(weights), counts);
      return {xs: taken(xs), ys: taken(ys), options: {...(sampleWeight && {sampleWeight}), ...taken({...context})}};
    });
  const batchesOf = (rows: number) => Math.min(Math.ceil(rows / batchSize), limit ?? Number.POSITIVE_INFINITY);
  const inBatches = (chosen: ChosenRows, size: number, first: number, count: number) =>
    gathered(take, chosen, size, first, count);
  return {
    batchesPerEpoch,
    batchesOf,
    samples: rowCount,
    async look(at) {
      const rows = order(0).slice(0, Math.min(batchSize, rowCount));
      const taken = take(rows);
      try {
        at({...taken, rows, size: rows.length});
      } finally {
        disposeEach(taken);
      }
    },
    batches: ({epoch, earlier = 0, batch: first}, chosen) =>
      chosen
        ? inBatches(chosen, batchSize, first, batchesOf(chosen.rows.length))
        : inBatches({rows: order(epoch + earlier)}, batchSize, first, batchesPerEpoch),
    rowsToScore: (_, rows, times) =>
      inBatches({rows}, times * batchSize, 0, Math.ceil(rows.length / batchSize / times)),
    async close() {
      numbers?.dispose();
    },
  };
}

/** Gathers rows of the data, with weights in addition to their sample weights. */
type Take = (rows: Int32Array, counts?: Float32Array) => Pick<TrainingBatch, 'xs' | 'ys' | 'options'>;

/**
 * Yields the batches `first … count − 1` of some rows; each is valid until the next is requested.
 * Not a generator: engines do not compile those, and a wait takes a noticeable share of a small
 * step.
 */
function gathered(take: Take, chosen: ChosenRows, size: number, first: number, count: number): BatchesAtOnce {
  let number = first;
  let latest: TrainingBatch | undefined;
  const release = () => {
    if (latest) disposeEach([latest.xs, latest.ys, latest.options]);
    latest = undefined;
  };
  const end = () => {
    release();
    number = count;
    return {done: true, value: undefined} as const;
  };
  return {
    [Symbol.iterator]() {
      return this;
    },
    next() {
      release();
      if (number >= count) return end();
      latest = batchOf(take, chosen, number * size, size);
      number++;
      return {done: false, value: latest};
    },
    return: end,
  };
}

/** Gathers the batch at an offset. */
function batchOf(take: Take, {rows: all, order, weights}: ChosenRows, from: number, size: number): TrainingBatch {
  const to = Math.min(from + size, all.length);
  const places = order?.subarray(from, to);
  const rows = places ? places.map((place) => all[place] as number) : all.slice(from, to);
  const counts =
    places && weights ? Float32Array.from(places, (place) => weights[place] as number) : weights?.subarray(from, to);
  const {xs, ys, options} = take(rows, counts);
  return {xs, ys, options, rows, size: rows.length};
}

/** Checks the weights and the context of each row of the data, or of each element. */
export function checkRowData(
  where: string,
  {sampleWeight, context = {}}: RowData,
  count: number,
  granularity: Granularity | undefined,
): void {
  const check = (name: string, tensor: Tensor) => {
    const isOfRows = granularity !== 'element' && name !== 'context.boxes';
    // The step checks the axes after the first.
    if (!isOfRows && tensor instanceof Tensor && tensor.shape[0] === count) return;
    if (isOfRows && tensor instanceof Tensor && String(tensor.shape) === String([count, 1])) return;
    if (isOfRows || !(tensor instanceof Tensor)) return checkRows(where, name, tensor, count);
    throw typeError(where, name, `have shape [${count}, …]`, tensor.shape);
  };
  for (const [name, tensor] of Object.entries(context)) check(`context.${name}`, tensor);
  if (sampleWeight === undefined) return;
  if (isNumbers(sampleWeight)) {
    if (sampleWeight.length !== count)
      throw typeError(where, 'sampleWeight', `have ${count} numbers, one for each row`, `${sampleWeight.length}`);
    return;
  }
  if (typeof sampleWeight !== 'object') {
    throw typeError(where, 'sampleWeight', 'be numbers or a tensor, one for each row', sampleWeight);
  }
  const tensors = 'shape' in sampleWeight ? [sampleWeight as Tensor] : Object.values(sampleWeight);
  for (const tensor of tensors) check('sampleWeight', tensor);
}

/** Checks `validationData: [x, y]` and returns its rows. */
export function validationRows(
  where: string,
  model: LayersModel,
  targets: BatchNames['targets'],
  given: [StepTensors, StepTensors],
): ModelData {
  if (!Array.isArray(given) || given.length !== 2) {
    throw typeError(where, 'validationData', 'be [x, y]', given, 'Validation rows have no weights.');
  }
  const names = {targets, xName: 'x of validationData', yName: 'y of validationData'};
  return modelData(where, model, given[0], given[1], names);
}

/** Builds a source of the rows of a data set in their order, starting at `first`. */
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

/** Shuffles the rows 0 … count − 1 in an order that depends on seed and epoch alone. */
export function shuffledRows(count: number, seed: number | string, epoch: number): Int32Array {
  return shuffled(count, uniformFrom(`${seed}/${epoch}`));
}

/** Lists the rows first … end − 1 in ascending order. */
export function rowsFrom(first: number, end: number): Int32Array {
  const rows = new Int32Array(end - first);
  for (let place = 0; place < rows.length; place++) rows[place] = first + place;
  return rows;
}
