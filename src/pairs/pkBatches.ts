import {dispose, Tensor, type Tensor1D, tensor1d, tensor2d, tidy} from '@tensorflow/tfjs-core';
import {checkCount, checkFinite, checkFunction, checkOptionNames, rangeError, typeError} from '../checks';
import {uniformFrom} from '../random';
import {takeRows} from '../rows';

const NAME = 'pkBatches';

/** A batch in the form that `fitOhemDataset` accepts. */
export interface PkBatch {
  xs: Tensor | Tensor[] | Record<string, Tensor>;
  /** `int32[P · K, 1]`, the labels of the rows, or the result of `targets`. */
  ys: Tensor | Tensor[] | Record<string, Tensor>;
  /** Indices of these rows in the data set. */
  index: Int32Array;
}

export interface PkBatchesOptions {
  /** Inputs, `[N, …]` each. */
  x: Tensor | Tensor[] | Record<string, Tensor>;
  /** The class of each row, `N` integers. */
  labels: ArrayLike<number>;
  /** Number of classes per batch, `P`; an integer ≥ 2. */
  classes: number;
  /** Number of rows per class and batch, `K`; an integer ≥ 2. */
  perClass: number;
  /** Number of batches per epoch; an integer ≥ 1. Default `⌊N / (P · K)⌋`, at least 1. */
  batches?: number;
  /** Seed: the same seed gives the same batches. Default 0. */
  seed?: number;
  /** Computes the targets of a batch from its row indices. Default: their labels. */
  targets?: (rows: Int32Array) => Tensor | Tensor[] | Record<string, Tensor>;
}

/**
 * Builds batches of `P` classes with `K` rows each, so that anchors have positives and negatives.
 *
 *     batch = K rows of each of P classes;    B = P · K
 *
 * In a random batch of a data set with many classes, most anchors have no positive. Classes come in
 * random order, and a class repeats only after all others; the same holds for the rows of a class.
 * A class with fewer than `K` rows contributes some of them twice. Batches depend on seed and epoch
 * alone, so a training run can be resumed.
 *
 * @param options  `x`, `labels`, `classes`, `perClass`, `batches`, `seed`, `targets`.
 * @returns a function of the epoch, for `fitOhemDataset`, which disposes the batches.
 * @throws RangeError or TypeError for a wrong option.
 *
 * @example
 * const x = tf.randomNormal([12, 5]);
 * const dataset = pkBatches({x, labels: [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3], classes: 2, perClass: 3});
 * const [batch] = dataset(0);
 * batch.xs.shape;   // [6, 5]
 * batch.ys.shape;   // [6, 1]
 *
 * @see Hermans, Beyer, Leibe, In Defense of the Triplet Loss, 2017, §2 (arXiv:1703.07737)
 */
export function pkBatches(options: PkBatchesOptions = {} as PkBatchesOptions): (epoch: number) => Iterable<PkBatch> {
  checkOptionNames(NAME, options, ['x', 'labels', 'classes', 'perClass', 'batches', 'seed', 'targets']);
  const {x, labels, classes, perClass, seed = 0, targets} = options;
  const rowsOf = checkedClasses(options);
  const size = classes * perClass;
  const {batches = Math.max(1, Math.floor(labels.length / size))} = options;
  checkCount(NAME, 'batches', batches);
  checkFinite(NAME, 'seed', seed);
  if (targets !== undefined) checkFunction(NAME, 'targets', 'be a function of the rows of a batch', targets);
  const list = Int32Array.from(labels);
  const ofLabels = (rows: Int32Array) =>
    tensor2d(
      rows.map((row) => list[row] as number),
      [size, 1],
      'int32',
    );
  return function* batchesOf(epoch) {
    const uniform = uniformFrom(`${seed}/${epoch}`);
    const nextClasses = turns([...rowsOf.keys()], uniform);
    const nextRows = new Map([...rowsOf].map(([label, rows]) => [label, turns(rows, uniform)]));
    for (let batch = 0; batch < batches; batch++) {
      const chosen = nextClasses(classes);
      const index = Int32Array.from(chosen.flatMap((label) => nextRows.get(label)?.(perClass) ?? []));
      yield batchOf(x, index, targets ?? ofLabels);
    }
  };
}

function batchOf(x: PkBatchesOptions['x'], index: Int32Array, targets: (rows: Int32Array) => PkBatch['ys']): PkBatch {
  checkAlive(x);
  const ys = targets(index);
  const given = tensorsIn(ys);
  if (given.length === 0 || !given.every((tensor) => tensor instanceof Tensor)) {
    throw typeError(NAME, 'targets', 'return a tensor, or several', ys);
  }
  try {
    return {xs: rowsIn(x, index), ys, index};
  } catch (error) {
    dispose(given);
    throw error;
  }
}

function checkAlive(x: PkBatchesOptions['x']): void {
  if (!tensorsIn(x).some(({isDisposed}) => isDisposed)) return;
  throw typeError(NAME, 'x', 'not be disposed', 'a disposed tensor', 'Keep it until the last epoch.');
}

/** Whether a label fits int32, the type of the targets. */
const isInt32 = (label: number) => Number.isInteger(label) && label === (label | 0);

/** Checks the options, and lists the rows of each class. */
function checkedClasses({x, labels, classes, perClass}: PkBatchesOptions): Map<number, number[]> {
  const tensors = tensorsIn(x);
  const size = tensors[0]?.shape?.[0];
  if (size === undefined || !tensors.every((tensor) => tensor instanceof Tensor && tensor.shape[0] === size)) {
    throw typeError(NAME, 'x', 'be a tensor [N, …], or several of one N', x);
  }
  checkAlive(x);
  if (labels?.length !== size) throw typeError(NAME, 'labels', `have ${size} entries, one for each row`, labels);
  const rowsOf = new Map<number, number[]>();
  for (const [row, label] of Array.from(labels).entries()) {
    if (!isInt32(label)) {
      throw rangeError(NAME, 'labels', 'hold integers from -2^31 to 2^31 - 1', `${label} at position ${row}`);
    }
    const rows = rowsOf.get(label);
    if (rows) rows.push(row);
    else rowsOf.set(label, [row]);
  }
  const isPlural = (value: number) => Number.isInteger(value) && value >= 2;
  if (!isPlural(classes) || classes > rowsOf.size) {
    throw rangeError(NAME, 'classes', `be an integer from 2 to ${rowsOf.size}, the number of classes`, classes);
  }
  if (!isPlural(perClass)) {
    throw rangeError(NAME, 'perClass', 'be an integer >= 2', perClass, 'A single row of a class has no positive.');
  }
  return rowsOf;
}

/**
 * Cycles through items in random order: all of them before one repeats, and no item twice in a call
 * if there are enough.
 */
function turns<T>(items: readonly T[], uniform: () => number): (count: number) => T[] {
  let waiting: T[] = [];
  return (count) => {
    const taken: T[] = [];
    while (taken.length < count) {
      if (waiting.length === 0) waiting = shuffled(items, uniform);
      const isNew = (item: T) => taken.length >= items.length || !taken.includes(item);
      const place = waiting.findIndex(isNew);
      if (place < 0) waiting = shuffled(items, uniform);
      else taken.push(waiting.splice(place, 1)[0] as T);
    }
    return taken;
  };
}

function shuffled<T>(items: readonly T[], uniform: () => number): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(uniform() * (last + 1));
    [order[last], order[other]] = [order[other] as T, order[last] as T];
  }
  return order;
}

function tensorsIn(x: PkBatchesOptions['x']): Tensor[] {
  return x instanceof Tensor ? [x] : Object.values(Object(x));
}

/** Gathers rows of all tensors. */
function rowsIn(x: PkBatchesOptions['x'], index: Int32Array): PkBatch['xs'] {
  const made: Tensor[] = [];
  try {
    const taken = (tensor: Tensor) => {
      const rows = tidy(() => takeRows(tensor, tensor1d(index, 'int32') as Tensor1D));
      made.push(rows);
      return rows;
    };
    if (x instanceof Tensor) return taken(x);
    if (Array.isArray(x)) return x.map(taken);
    return Object.fromEntries(Object.entries(x).map(([name, tensor]) => [name, taken(tensor)]));
  } catch (error) {
    dispose(made);
    throw error;
  }
}
