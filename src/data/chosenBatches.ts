/** @file Batches of chosen rows of a dataset, which drop the other rows before batching. */

import {dispose, type TensorContainer, tensor1d, tensor2d, tidy} from '@tensorflow/tfjs-core';
import {rangeError, typeError} from '../checks';
import {isNumbers} from './batchOptions';
import type {Batches, BatchSource, ChosenRows, ItemSizes, Place, TrainingBatch} from './batchSource';
import {rowNumbers} from './datasetBatches';
import {joined, rowsOfEach, type WeightTensors, weighted} from './rowsOfEach';

/** A dataset whose rows can be chosen. */
interface IndexedItems {
  where: string;
  argument: string;
  /** Number of rows. */
  size: number;
}

/** Builds a source of the chosen rows of a dataset whose items have an `index`. */
export function chosenBatches(source: BatchSource, items: IndexedItems): BatchSource {
  let known: ItemSizes | undefined;
  const rowsAt = (at: Place, chosen: ChosenRows, times: number) => {
    let before: number | undefined;
    const largestWith = (rows: number) => {
      known = withItem(known, rows, before);
      before = rows;
      return known.largest;
    };
    // Start at batch 0, because the rows before a position are known only after reading them.
    return recut({...items, epoch: at.epoch}, source.batches({...at, batch: 0}), chosen, {times, largestWith});
  };
  return {
    samples: items.size,
    itemSizes: () => known,
    batchesOf: (rows) => (known?.isEven ? Math.ceil(rows / known.largest) : undefined),
    async *batches(from, chosen) {
      const all = chosen ?? {rows: Int32Array.from({length: items.size}, (_, row) => row)};
      known = all.items;
      let done = 0;
      for await (const batch of rowsAt(from, all, 1)) if (done++ >= from.batch) yield batch;
    },
    rowsToScore: (at, rows, times) => rowsAt(at, {rows}, times),
    close: source.close,
  };
}

/** Updates the item sizes by an item; `before` is the size of the previous item in the epoch. */
function withItem(known: ItemSizes | undefined, rows: number, before: number | undefined): ItemSizes {
  const largest = Math.max(known?.largest ?? 0, rows);
  const isLarger = known !== undefined && rows > known.largest;
  // Only the last item may be smaller, and the previous item was not the last.
  const isEven = (known?.isEven ?? true) && !isLarger && (before ?? largest) === largest;
  return {largest, isEven};
}

/** Rows that wait for a full batch, with their weights in `options`. */
interface Waiting {
  rows: Int32Array;
  tensors: Pick<TrainingBatch, 'xs' | 'ys' | 'options'>;
}

/**
 * Yields the chosen rows of items in the order of the items.
 *
 * Batches are as large as the largest item so far. An item of chosen rows only is passed on
 * unchanged while no row waits.
 *
 * @param items  the items; each is valid until the next one is requested.
 * @throws TypeError or RangeError for an item without `index`, for an index that is out of range or
 *   repeated, and at the end for missing rows.
 */
async function* recut(
  about: IndexedItems & {epoch: number},
  items: Batches,
  chosen: ChosenRows,
  {times, largestWith}: {times: number; largestWith: (rows: number) => number},
): AsyncGenerator<TrainingBatch, void> {
  const counts = countsByRow(about.size, chosen);
  const seen = seenRows(about);
  const waiting = waitingRows(about);
  try {
    for await (const item of items) {
      const size = times * largestWith(item.size);
      const rows = await indexOf(about, item);
      seen.add(rows);
      const places = Int32Array.from(rows.keys()).filter((place) => !Number.isNaN(counts[rows[place] as number]));
      const ofRows = chosen.weights && Float32Array.from(places, (place) => counts[rows[place] as number] as number);
      const isWhole = places.length === item.size && times === 1 && waiting.count() === 0;
      if (isWhole) yield* wholeItem(item, rows, ofRows);
      else if (places.length > 0) waiting.add(cutTo(item, rows, places, ofRows));
      while (waiting.count() >= size) yield* waiting.take(size);
    }
    if (waiting.count() > 0) yield* waiting.take(waiting.count());
  } finally {
    waiting.dispose();
  }
  seen.checkAll();
}

/** The weight of each row by index; NaN if it is not chosen. */
function countsByRow(size: number, {rows, weights}: ChosenRows): Float32Array {
  const counts = new Float32Array(size).fill(Number.NaN);
  for (const [place, row] of rows.entries()) counts[row] = weights ? (weights[place] as number) : 1;
  return counts;
}

async function indexOf({where, argument}: IndexedItems, {rows}: TrainingBatch): Promise<Int32Array> {
  if (!rows) throw typeError(where, argument, 'give items {xs, ys, index} for a sampler', 'one without index');
  return rowNumbers(where, argument, rows instanceof Int32Array ? rows : await rows.data());
}

/** Tracks the rows of an epoch that have appeared. */
function seenRows({where, argument, size, epoch}: IndexedItems & {epoch: number}) {
  const isSeen = new Uint8Array(size);
  let count = 0;
  const remedy = 'Number the rows from 0, and pass their number as rows.';
  return {
    add(rows: Int32Array): void {
      for (const row of rows) {
        if (!(row >= 0 && row < size)) {
          throw rangeError(where, `index of ${argument}`, `be from 0 to ${size - 1}`, row, remedy);
        }
        if (isSeen[row] === 1) {
          const constraint = 'name each row once in an epoch';
          throw rangeError(where, `index of ${argument}`, constraint, `${row} twice in epoch ${epoch}`);
        }
        isSeen[row] = 1;
        count++;
      }
    },
    checkAll(): void {
      if (count === size) return;
      const first = isSeen.indexOf(0);
      const got = `${count} in epoch ${epoch}, without row ${first}`;
      throw rangeError(where, argument, `give all ${size} rows in each epoch with a sampler`, got, remedy);
    },
  };
}

/** Passes an item on, with the weights of its rows. */
async function* wholeItem(
  item: TrainingBatch,
  rows: Int32Array,
  ofRows: Float32Array | undefined,
): AsyncGenerator<TrainingBatch, void> {
  if (!ofRows) return yield {...item, rows};
  const sampleWeight = tidy(() => weighted(weightTensors(item), ofRows)) as WeightTensors;
  try {
    yield {...item, rows, options: {...item.options, sampleWeight}};
  } finally {
    dispose(sampleWeight as object as TensorContainer);
  }
}

/**
 * Converts the weights of an item to tensors; the surrounding `tidy` owns those made of numbers.
 */
function weightTensors({options: {sampleWeight}}: TrainingBatch): WeightTensors | undefined {
  if (sampleWeight === undefined || !isNumbers(sampleWeight)) return sampleWeight as WeightTensors | undefined;
  return tensor1d(Array.from(sampleWeight));
}

function cutTo(item: TrainingBatch, rows: Int32Array, places: Int32Array, ofRows: Float32Array | undefined): Waiting {
  const tensors = tidy(() => {
    const column = tensor2d(places, [places.length, 1], 'int32');
    const given = weightTensors(item);
    const sampleWeight = weighted(given && rowsOfEach(given, column), ofRows);
    const {xs, ys} = item;
    const {sampleWeight: _, ...context} = item.options;
    const cut = rowsOfEach({xs, ys, options: context}, column);
    return {...cut, options: {...cut.options, ...(sampleWeight && {sampleWeight})}} as unknown as TensorContainer;
  }) as unknown as Waiting['tensors'];
  return {rows: places.map((place) => rows[place] as number), tensors};
}

/** Buffers rows until they fill a batch. */
function waitingRows({where, argument}: IndexedItems) {
  let parts: Waiting[] = [];
  const count = () => parts.reduce((total, {rows}) => total + rows.length, 0);
  const clear = () => {
    for (const {tensors} of parts) dispose(tensors as object as TensorContainer);
    parts = [];
  };
  /** Removes the first rows as a batch; the others keep waiting. */
  const split = (size: number): Waiting => {
    const rows = Int32Array.from(parts.flatMap((part) => Array.from(part.rows)));
    const [batch, rest] = tidy(() => {
      const all = joined(parts.map(({tensors}) => tensors));
      const from = (first: number, end: number) => {
        const places = Int32Array.from({length: end - first}, (_, place) => first + place);
        return rowsOfEach(all, tensor2d(places, [places.length, 1], 'int32'));
      };
      return [from(0, size), ...(size < rows.length ? [from(size, rows.length)] : [])] as object as TensorContainer;
    }) as unknown as [Waiting['tensors'], Waiting['tensors']?];
    clear();
    if (rest) parts = [{rows: rows.slice(size), tensors: rest}];
    return {rows: rows.slice(0, size), tensors: batch};
  };
  return {
    count,
    add(part: Waiting): void {
      const [names, due] = [part, parts[0] ?? part].map(({tensors: {options}}) =>
        Object.keys(options).sort().join(', '),
      );
      parts.push(part);
      if (names === due) return;
      const constraint = `give the same fields with each item for a sampler, ${due || 'xs, ys, index alone'}`;
      throw typeError(where, argument, constraint, names || 'xs, ys, index alone');
    },
    async *take(size: number): AsyncGenerator<TrainingBatch, void> {
      const {rows, tensors} = split(size);
      try {
        yield {...tensors, rows, size: rows.length};
      } finally {
        dispose(tensors as object as TensorContainer);
      }
    },
    dispose: clear,
  };
}
