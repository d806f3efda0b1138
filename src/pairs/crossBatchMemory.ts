import {
  concat,
  fill,
  keep,
  mul,
  reshape,
  scalar,
  slice,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  tensor2d,
  tidy,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {checkCount, checkFunction, checkOptionNames, checkWhole, rangeError, shapeText, typeError} from '../checks';
import {offTape} from '../engine';
import {finiteRows} from '../finite';
import type {SelectionContext, Selector, SelectorStore} from '../types';
import {isLabel, type LabelledRows, labelledRows} from './pairBatch';
import type {PairMemory} from './pairLoss';

const NAME = 'crossBatchMemory';

export interface CrossBatchMemoryOptions {
  /** Number of remembered rows; an integer ≥ 1. Default 1024. */
  size?: number;
  /**
   * Number of batches before losses use the memory; an integer ≥ 0, 0 and 1 are equal. Default 0.
   */
  startAfter?: number;
  /** Result of `save()` to resume from. */
  from?: SavedPairMemory;
}

/** A memory as plain JSON. */
export interface SavedPairMemory {
  batches: number;
  embeddings: number[][];
  labels: number[];
}

/** Embeddings of earlier batches, on the device. */
export interface CrossBatchMemory extends PairMemory {
  /** Number of rows in the memory. */
  readonly count: number;
  /**
   * Adds a batch: embeddings `float32[B, D]` and labels `int32[B]`; the caller keeps both. Rows
   * that are not finite are compared with nothing.
   */
  add(embeddings: Tensor, labels: Tensor): void;
  /**
   * Wraps a selector so that the memory adds each batch after the selection. The training run, or
   * the step, that uses the selector saves, restores and disposes the memory.
   */
  fedBy(select: Selector): Selector;
  /** Reads the memory, to resume a loop of your own. */
  save(): Promise<SavedPairMemory>;
  /** Discards all rows. Nothing can be added afterwards. */
  dispose(): void;
}

/**
 * Builds a memory of earlier embeddings, with which pair losses compare their anchors too.
 *
 *     R = the batch, then the last `size` rows of earlier batches
 *
 * A batch of 64 rows has few hard negatives. The memory adds many for the price of one matrix
 * product, because embeddings change slowly. Remembered rows are constants. Rows of the batch are
 * never compared with themselves, but a repeated row of the data set is compared with its older
 * embedding.
 *
 * Pass the memory to a loss and feed it by the trainer's selector, `fedBy(select)`: each training
 * step calls it once, validation never. The memory is then part of the training run. `saveTraining`
 * saves it, a resumed run restores it, and the run or the step disposes it. In a loop of your own,
 * `save()` reads it before `dispose()`, and `from` resumes.
 *
 * @param options  `size`, `startAfter`, `from`.
 * @returns `{count, rows, add, fedBy, save, dispose}`.
 * @throws RangeError or TypeError for a wrong option; from `add`, if the shapes do not match, a
 *   batch is larger than the memory, or the memory is disposed.
 *
 * @example
 * const memory = crossBatchMemory({size: 4});
 * const loss = tripletLoss({mine: batchHard(), memory, normalize: false});
 * memory.add(tf.tensor2d([[1], [5]]), tf.tensor1d([0, 1], 'int32'));
 * memory.count;   // 2
 * loss(tf.tensor1d([0], 'int32'), tf.tensor2d([[4]])).dataSync();   // Float32Array [2.2]
 * memory.dispose();
 *
 * @see Wang et al., Cross-Batch Memory for Embedding Learning, 2020, §3.2 (arXiv:1912.06798)
 */
export function crossBatchMemory(options: CrossBatchMemoryOptions = {}): CrossBatchMemory {
  checkOptionNames(NAME, options, ['size', 'startAfter', 'from']);
  const {size = 1024, startAfter = 0, from} = options;
  checkCount(NAME, 'size', size);
  checkWhole(NAME, 'startAfter', startAfter);
  let [batches, isDisposed] = [0, false];
  let rows: {embeddings: Tensor2D; labels: Tensor1D} | undefined;
  const replace = (next: typeof rows) => {
    rows?.embeddings.dispose();
    rows?.labels.dispose();
    rows = next;
  };
  const restore = ({batches: before, embeddings, labels}: SavedPairMemory) => {
    [batches, isDisposed] = [before, false];
    const isEmpty = labels.length === 0;
    replace(isEmpty ? undefined : {embeddings: keep(tensor2d(embeddings)), labels: keep(tensor1d(labels, 'float32'))});
  };
  const forget = () => {
    replace(undefined);
    batches = 0;
  };
  if (from !== undefined) restore(checkedSaved(from, size));
  const add = (embeddings: Tensor, labels: Tensor, losses?: Tensor1D) => {
    if (isDisposed) throw typeError(NAME, 'memory', 'not be disposed', 'a disposed one', 'Build another one.');
    replace(offTape(() => tidy(() => extended(rows, embeddings, labels, size, losses))));
    batches++;
  };
  const memory: CrossBatchMemory = {
    get count() {
      return rows?.labels.size ?? 0;
    },
    rows: () => (batches >= startAfter ? rows : undefined),
    add: (embeddings, labels) => add(embeddings, labels),
    fedBy: (select) => Object.assign(feeding(memory, add, select), {store: storeOf(memory, size, {restore, forget})}),
    async save() {
      const values = rows && (await Promise.all([rows.embeddings.array(), rows.labels.array()]));
      return {batches, embeddings: values?.[0] ?? [], labels: values?.[1] ?? []};
    },
    dispose() {
      forget();
      isDisposed = true;
    },
  };
  return memory;
}

/** Appends the new rows and drops the oldest rows beyond `size`. */
function extended(
  rows: {embeddings: Tensor2D; labels: Tensor1D} | undefined,
  yPred: Tensor,
  yTrue: Tensor,
  size: number,
  losses?: Tensor1D,
) {
  const given = labelledRows(NAME, yTrue, yPred);
  const {embeddings, labels} = finiteOnly(given, losses);
  if (labels.size > size) {
    throw rangeError(NAME, 'size', 'be at least that of a batch', `${size} for ${labels.size} rows`);
  }
  if (rows && rows.embeddings.shape[1] !== embeddings.shape[1]) {
    const constraint = `have the width of earlier rows, ${rows.embeddings.shape[1]}`;
    throw typeError(NAME, 'embeddings', constraint, shapeText(embeddings.shape));
  }
  const all = {
    embeddings: rows ? concat([rows.embeddings, embeddings]) : embeddings,
    labels: rows ? concat([rows.labels, labels]) : labels,
  };
  const count = Math.min(size, all.labels.size);
  const from = all.labels.size - count;
  // Copy, because a slice of all rows may be a view of the caller's tensor.
  return {
    embeddings: keep(mul<Tensor2D>(slice(all.embeddings, [from, 0], [count, -1]), 1)),
    labels: keep(mul<Tensor1D>(slice(all.labels, from, count), 1)),
  };
}

/** Label that no row has. Not NaN, which JSON cannot represent. */
const NO_LABEL = 2 ** 25;

/**
 * Removes the labels of rows that are not finite, and of rows without a finite loss.
 *
 * JSON cannot represent the former, and a trainer may have replaced the latter by other rows.
 */
function finiteOnly({embeddings, labels}: LabelledRows, losses: Tensor1D | undefined): LabelledRows {
  const isKnown = finiteRows([embeddings, labels, ...(losses ? [losses] : [])], labels.size);
  if (!isKnown) return {embeddings, labels};
  return {
    embeddings: where(reshape(isKnown, [-1, 1]), embeddings, zerosLike(embeddings)),
    labels: where(isKnown, labels, fill(labels.shape, NO_LABEL)),
  };
}

/** Wraps a selector: trainers call `remember` once per step, after the selection. */
function feeding(
  memory: CrossBatchMemory,
  feed: (embeddings: Tensor, labels: Tensor, losses: Tensor1D) => void,
  select: Selector,
): Selector {
  checkFunction(NAME, 'select', 'be a selector', select, 'Build one: topK({ratio: 0.75}).');
  if (select.remember) {
    throw typeError(NAME, 'select', 'be stateless', 'a selector with remember()', 'Pass another one.');
  }
  const choose = (losses: Tensor1D, context?: SelectionContext) => select(losses, context);
  return Object.assign(choose, {
    ...select,
    remember(losses: Tensor1D, {yTrue, yPred}: SelectionContext = {}) {
      if (!yTrue || !yPred) {
        throw typeError(NAME, 'model', 'have one output', undefined, 'For several outputs call add() yourself.');
      }
      feed(yPred, yTrue, losses);
      return tidy(() => reshape(scalar(memory.count), [1])) as Tensor1D;
    },
  });
}

/** The form in which trainers save a memory: a list of numbers. */
function storeOf(
  memory: CrossBatchMemory,
  size: number,
  {restore, forget}: {restore: (saved: SavedPairMemory) => void; forget: () => void},
): SelectorStore {
  return {
    async save() {
      const {batches, embeddings, labels} = await memory.save();
      return batches === 0 ? [] : [batches, labels.length, ...labels, ...embeddings.flat()];
    },
    restore([batches = 0, count = 0, ...values]) {
      const width = values.length / count - 1;
      if (!Number.isInteger(width)) throw typeError(NAME, 'memory', 'be that of the same selector', values);
      const rowAt = (row: number) => values.slice(count + row * width, count + (row + 1) * width);
      const embeddings = Array.from({length: count}, (_, row) => rowAt(row));
      restore(checkedSaved({batches, embeddings, labels: values.slice(0, count)}, size));
    },
    // The next training run starts with an empty memory.
    dispose: forget,
  };
}

function checkedSaved(from: SavedPairMemory, size: number): SavedPairMemory {
  const {batches, embeddings, labels} = from ?? {};
  const isList = Array.isArray(embeddings) && Array.isArray(labels) && embeddings.length === labels.length;
  const isCount = Number.isInteger(batches) && batches >= Math.min(1, labels?.length ?? 0);
  if (!isList || !isCount) throw typeError(NAME, 'from', 'be what save() gave', from);
  if (labels.length > size) throw rangeError(NAME, 'size', `be at least ${labels.length}, the saved row count`, size);
  const width = embeddings[0]?.length ?? 0;
  const isRow = (row: unknown) => Array.isArray(row) && row.length === width && row.every(Number.isFinite);
  const wrongRow = embeddings.findIndex((row) => width === 0 || !isRow(row));
  if (wrongRow >= 0) {
    const constraint = 'hold rows of finite numbers, all of one width';
    throw rangeError(NAME, 'from.embeddings', constraint, `[${embeddings[wrongRow]}] at position ${wrongRow}`);
  }
  const wrong = labels.findIndex((label) => !(isLabel(label) || label === NO_LABEL));
  if (wrong >= 0) {
    const constraint = 'hold integers between -2^24 and 2^24';
    throw rangeError(NAME, 'from.labels', constraint, `${labels[wrong]} at position ${wrong}`);
  }
  return from;
}
