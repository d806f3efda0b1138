import {dispose, Tensor, type TensorContainer} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {rangeError, typeError} from '../checks';
import {inputsOf, type StepTensors} from '../models/modelTensors';
import type {RowContext, SampleWeights} from './batchOptions';
import {type BatchSource, type Place, START, type TrainingBatch} from './batchSource';

/** A batch of a dataset. */
export interface DatasetItem extends RowContext {
  xs: StepTensors;
  ys: StepTensors;
  /** Indices of these rows in the data set, for a ledger or a sampler. */
  index?: Tensor | ArrayLike<number> | null;
  /** Weight of each row. */
  sampleWeight?: SampleWeights;
}

/** The items of an epoch: a `tf.data` dataset, or any iterable, synchronous or asynchronous. */
export type DatasetItems =
  | Iterable<DatasetItem | [StepTensors, StepTensors]>
  | AsyncIterable<DatasetItem | [StepTensors, StepTensors]>
  | {iterator(): Promise<{next(): Promise<IteratorResult<unknown>>}>};

/** Batches for several epochs; a function is called at the start of each epoch. */
export type OhemDataset = DatasetItems | ((epoch: number) => DatasetItems | Promise<DatasetItems>);

interface Items {
  /** Returns the next item; undefined at the end. */
  pull(): Promise<{value: unknown} | undefined>;
  /** Disposes the tensors of an item, unless it belongs to an array, which later epochs reuse. */
  release(item: unknown): void;
  close(): Promise<void>;
}

/**
 * Builds a source of a dataset's batches. With `batchesPerEpoch` epochs do not restart the dataset,
 * as in tfjs.
 *
 * @param limit  largest number of batches per epoch.
 */
export function datasetBatches(
  where: string,
  argument: string,
  model: LayersModel,
  dataset: OhemDataset,
  batchesPerEpoch?: number,
  limit = Number.POSITIVE_INFINITY,
): BatchSource {
  const {openAt, pull, look, close} = opened((epoch) => itemsOf(where, argument, dataset, epoch), batchesPerEpoch);
  const known = batchesPerEpoch ?? sizeOf(dataset, limit);
  return {
    ...(known !== undefined && {batchesPerEpoch: known}),
    async look(at) {
      const first = await look();
      if (first) at(trainingBatch(where, argument, model, first.value));
    },
    async *batches(from) {
      let {batch} = from;
      try {
        const items = await openAt(from);
        for (; batch < (batchesPerEpoch ?? limit); batch++) {
          const item = await pull(items);
          if (!item) break;
          try {
            yield trainingBatch(where, argument, model, item.value);
          } finally {
            items.release(item.value);
          }
        }
      } finally {
        if (batchesPerEpoch === undefined) await close();
      }
      checkCountOf(where, argument, batch, from.epoch, batchesPerEpoch);
    },
    close,
  };
}

/** Opens the items of an epoch and skips the completed ones. */
function opened(itemsAt: (epoch: number) => Promise<Items>, batchesPerEpoch: number | undefined) {
  let open: Items | undefined;
  /** The first item, fetched ahead by `look`. */
  let first: {value: unknown} | undefined;
  const pull = async (items: Items) => {
    const item = first ?? (await items.pull());
    first = undefined;
    return item;
  };
  const openAt = async ({epoch, earlier = 0, batch, step, earlierSteps = 0}: Place): Promise<Items> => {
    if (open) return open;
    const items = await itemsAt(epoch + earlier);
    open = items;
    const done = batchesPerEpoch === undefined ? batch : step - earlierSteps;
    for (let skipped = 0; skipped < done; skipped++) items.release((await pull(items))?.value);
    return items;
  };
  return {
    openAt,
    pull,
    async look() {
      const items = await openAt(START);
      first ??= await items.pull();
      return first;
    },
    async close() {
      const items = open;
      open = undefined;
      if (first) items?.release(first.value);
      first = undefined;
      await items?.close();
    },
  };
}

/** The number of items, if the dataset reports it. */
function sizeOf(dataset: OhemDataset, limit: number): number | undefined {
  const {size, length} = Object(dataset) as {size?: unknown; length?: unknown};
  const known = Array.isArray(dataset) ? length : size;
  return typeof known === 'number' && Number.isFinite(known) ? Math.min(known, limit) : undefined;
}

function checkCountOf(where: string, argument: string, batches: number, epoch: number, due: number | undefined): void {
  if (batches >= (due ?? 1)) return;
  const got = `${batches} in epoch ${epoch}`;
  if (due !== undefined) {
    const remedy = 'Repeat it, or omit batchesPerEpoch to restart it for each epoch.';
    throw rangeError(where, argument, `give ${due} batches for each epoch`, got, remedy);
  }
  const remedy = 'A generator runs once: pass the function that makes it.';
  throw rangeError(where, argument, 'give at least one batch for each epoch', got, remedy);
}

async function itemsOf(where: string, argument: string, dataset: OhemDataset, epoch: number): Promise<Items> {
  const given: unknown = typeof dataset === 'function' ? await dataset(epoch) : dataset;
  const {iterator, [Symbol.asyncIterator]: asynchronous, [Symbol.iterator]: synchronous} = Object(given);
  const make: unknown = iterator ?? asynchronous ?? synchronous;
  if (typeof make !== 'function' || typeof given === 'string') {
    const constraint = 'be a dataset of tf.data, an iterable of {xs, ys}, or a function that gives one';
    throw typeError(where, argument, constraint, given);
  }
  const items = (await make.call(given)) as Iterator<unknown>;
  let isDone = false;
  return {
    async pull() {
      const {done, value} = await items.next();
      isDone = done === true;
      return done ? undefined : {value};
    },
    release(item) {
      if (!Array.isArray(given)) dispose(item as TensorContainer);
    },
    async close() {
      if (!isDone) await items.return?.();
    },
  };
}

function trainingBatch(where: string, argument: string, model: LayersModel, item: unknown): TrainingBatch {
  const {
    xs,
    ys,
    index: given,
    ...options
  } = (Array.isArray(item) ? {xs: item[0], ys: item[1]} : Object(item)) as DatasetItem;
  if (xs === undefined || ys === undefined) {
    throw typeError(where, argument, 'give items {xs, ys}', item);
  }
  const {xs: inputs} = inputsOf(where, 'xs', model, xs);
  const size = inputs[0]?.shape[0] ?? 0;
  const index = given ?? undefined;
  const rows = index === undefined || index instanceof Tensor ? index : rowNumbers(where, argument, index);
  const count = rows instanceof Tensor ? rows.size : (rows?.length ?? size);
  if (count !== size)
    throw typeError(where, `index of ${argument}`, `have a row for each of the ${size} in xs`, `${count}`);
  return {xs, ys, options, size, ...(rows && {rows})};
}

/** Converts the row indices of an item to int32; rejects fractions and NaN, which would change. */
export function rowNumbers(where: string, argument: string, index: ArrayLike<number>): Int32Array {
  if (index instanceof Int32Array) return index;
  return Int32Array.from(index, (row, place) => {
    if (Number.isInteger(row)) return row;
    throw rangeError(where, `index of ${argument}`, 'hold integers', `${row} at position ${place}`);
  });
}
