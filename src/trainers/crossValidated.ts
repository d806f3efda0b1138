import {
  concat,
  dispose,
  type Optimizer,
  sigmoid,
  softmax,
  sub,
  Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  tensor2d,
  tidy,
  type Variable,
} from '@tensorflow/tfjs-core';
import {LayersModel} from '@tensorflow/tfjs-layers';
import {
  checkBoolean,
  checkCount,
  checkFunction,
  checkSeed,
  givenOptions,
  type Nullable,
  rangeError,
  shapeText,
  typeError,
} from '../checks';
import type {TrainableModel} from '../models/functionModel';
import {outputsOf, readyModel} from '../models/model';
import {eachTensor, inputsOf, type StepTensors} from '../models/modelTensors';
import {shuffled, uniformFrom} from '../random';
import {takeRows} from '../rows';
import {type FitOhemArgs, fitAs} from './fitOhem';
import {checkReturned} from './returnedProbabilities';

const NAME = 'crossValidated';

/**
 * Options of `fitOhem` that hold rows of the data or the state of one model; each fold has its own.
 */
const OF_ONE_RUN = ['sampleWeight', 'context', 'ledger', 'initialState', 'seed', 'validationData'] as const;

export interface CrossValidatedOptions {
  /**
   * Number of parts that the rows are split into, and of models trained; an integer ≥ 2. Default 5.
   */
  folds?: number;
  /** Seed of the folds and of the shuffling in training. Default 0. */
  seed?: number | string;
  /**
   * Options of `fitOhem` for each model. `sampleWeight`, `context`, `ledger`, `initialState`,
   * `validationData` and `seed` are excluded, and an `optimizer` must be a name. `verbose` defaults
   * to 0.
   */
  fit?: Omit<FitOhemArgs, (typeof OF_ONE_RUN)[number]>;
  /** Whether the model returns logits instead of probabilities. Default false, as in Keras. */
  fromLogits?: boolean;
  /** Batch size of the prediction of held-out rows. Default 256. */
  batchSize?: number;
}

/**
 * Predicts every row of a data set by a model that was not trained on it.
 *
 *     p_i = model_f(x_i),    f = the fold of row i
 *     model_f is trained by fitOhem on the rows of all other folds
 *
 * `labelIssues` needs such predictions: a model may memorise a wrong label that it was trained on.
 * The rows of each class are spread evenly over the folds. The folds are trained one after the
 * other: `folds` training runs on `1 − 1 / folds` of the rows. Multi-label targets (a row of
 * `[N, C]` without exactly one 1) are spread at random. A single output, the probability of label
 * 1, becomes two columns, `[1 − p, p]`.
 *
 * @param makeModel  builds a new model for a fold, numbered from 0. Compile it, or set loss and
 *   optimizer in `fit`. The model and its optimizer are disposed after use.
 * @param x  inputs, as `fitOhem` takes them: a tensor `[N, …]`, a list, or a record by name; they
 *   stay yours.
 * @param y  labels of one output: integers `[N]` or `[N, 1]`, or one-hot `[N, C]`. Read once; stays
 *   yours.
 * @param options  `folds` (default 5), `seed` (default 0), `fit`, `fromLogits` (default false),
 *   `batchSize` (default 256).
 * @returns a promise of the probabilities, `float32[N, C]`, in the order of the rows; yours to
 *   dispose.
 * @throws TypeError or RangeError (as a rejection, before any training) for a wrong option,
 *   different numbers of rows in `x` and `y`, labels that are no classes of the model, more folds
 *   than a class has rows, and a `fromLogits` that contradicts the model: its last activation, its
 *   loss, or its first predictions. Also what `fitOhem` throws, under this name. A model that
 *   shares layers, variables or its optimizer with that of an earlier fold is refused when it is
 *   made.
 *
 * @example
 * const makeModel = () => tf.sequential({layers: [tf.layers.dense({units: 2, activation: 'softmax', inputShape: [1]})]});
 * const [x, y] = [tf.tensor2d([[-2], [-1], [1], [2]]), tf.tensor1d([0, 0, 1, 1], 'int32')];
 * const fit = {loss: 'sparseCategoricalCrossentropy', optimizer: 'adam', epochs: 2};
 * const probabilities = await crossValidated(makeModel, x, y, {folds: 2, fit});
 * probabilities.shape;   // [4, 2]
 *
 * @see Northcutt, Jiang, Chuang, Confident Learning, JAIR 70, 2021, §4 (arXiv:1911.00068)
 */
export async function crossValidated(
  makeModel: (fold: number) => TrainableModel | Promise<TrainableModel>,
  x: StepTensors,
  y: Tensor,
  options?: Nullable<CrossValidatedOptions> | null,
): Promise<Tensor2D> {
  const given = givenOptions<CrossValidatedOptions>(NAME, options, ['folds', 'seed', 'fit', 'fromLogits', 'batchSize']);
  const {folds = 5, seed = 0, batchSize = 256, fromLogits = false} = given;
  checkFunction(NAME, 'makeModel', 'be a function that builds a model', makeModel, 'Pass () => tf.sequential(…).');
  if (!(Number.isInteger(folds) && folds >= 2)) throw rangeError(NAME, 'folds', 'be an integer >= 2', folds);
  checkCount(NAME, 'batchSize', batchSize);
  checkBoolean(NAME, 'fromLogits', fromLogits);
  checkSeed(NAME, seed);
  const fit = checkedFit(given.fit);
  if (!(y instanceof Tensor)) throw typeError(NAME, 'y', 'be a tensor of labels', y);
  checkInputs(x, y.shape[0] ?? 0);
  const {foldOf, isExclusive, most} = foldsOf(await y.data(), y.shape, folds, uniformFrom(`${NAME}/${seed}`));
  const predicted: Predicted = {values: undefined, columns: 0, rows: foldOf.length};
  const checkFresh = freshness();
  for (let fold = 0; fold < folds; fold++) {
    const rows = (isHeldOut: boolean) => foldOf.flatMap((of, row) => ((of === fold) === isHeldOut ? [row] : []));
    let model: TrainableModel | undefined;
    let training: StepTensors[] = [];
    try {
      const made = await makeModel(fold);
      checkFresh(made);
      model = made;
      const ready = readyModel(NAME, model, fit.loss);
      checkClasses(ready, most);
      const firstRows = [...foldOf.keys()].slice(0, batchSize);
      await checkReturned(NAME, ready, fit.loss, {fromLogits, isExclusive}, () => outputOf(ready, x, firstRows));
      training = tidy(() => rowsIn([x, y], rows(false)) as Tensor[]);
      const [xs, ys] = training as [StepTensors, Tensor];
      await fitAs(NAME, model, xs, ys, {verbose: 0, ...fit, seed: `${seed}/${fold}`});
      await predict(predicted, model, fit.loss, x, rows(true), {batchSize, fromLogits, isExclusive});
    } finally {
      dispose(training as Tensor[]);
      if (model) disposeModel(model);
    }
  }
  return tensor2d(predicted.values as Float32Array, [foldOf.length, predicted.columns]);
}

/** Checks that each input has one row per label: a backend may read past the last row. */
function checkInputs(x: StepTensors, size: number): void {
  const tensors = x instanceof Tensor ? [x] : Object.values(Object(x));
  if (tensors.length === 0 || !tensors.every((tensor) => tensor instanceof Tensor)) {
    const remedy = 'Make tensors of arrays with tf.tensor().';
    throw typeError(NAME, 'x', 'be a tensor, a list of tensors or a record of them', x, remedy);
  }
  for (const {shape} of tensors as Tensor[]) {
    if (shape[0] !== size) throw typeError(NAME, 'x', `have as many rows as y, ${size}`, `${shape[0] ?? 'a scalar'}`);
  }
}

/**
 * Builds the check that a model shares nothing with earlier ones. It disposes the new parts of a
 * refused model.
 */
function freshness(): (model: TrainableModel) => void {
  const seen = new Set<unknown>();
  return (model) => {
    if (typeof model !== 'object' || model === null) {
      throw typeError(NAME, 'makeModel', 'return a model', model, 'Pass () => tf.sequential(…).');
    }
    const optimizer = (model as {optimizer?: Optimizer}).optimizer ?? [];
    const parts = [optimizer, model instanceof LayersModel ? model.layers : (Object(model).variables ?? [])].flat();
    const isShared = parts.some((part) => seen.has(part));
    if (seen.has(model) || isShared) {
      for (const part of parts) if (!seen.has(part)) freePart(part);
      const got = seen.has(model) ? 'the same one twice' : 'one that shares its optimizer or weights with another';
      throw typeError(
        NAME,
        'makeModel',
        'build a new model for each fold',
        got,
        'Build and compile it within makeModel.',
      );
    }
    for (const part of [model, ...parts]) seen.add(part);
  };
}

function freePart(part: Variable | Optimizer | LayersModel['layers'][number]): void {
  if ('weights' in part) for (const weight of part.weights) weight.dispose();
  else part.dispose();
}

/**
 * Checks that the model has an output for the largest class number, if its output shape is known.
 */
function checkClasses(model: LayersModel, most: number): void {
  const columns = model.outputs.length === 1 ? model.outputs[0]?.shape?.at(-1) : undefined;
  if (columns == null) return;
  const classes = Math.max(columns, 2);
  if (most >= classes) throw rangeError(NAME, 'y', `hold class numbers from 0 to ${classes - 1}, as the model`, most);
}

function checkedFit(fit: CrossValidatedOptions['fit'] = {}): FitOhemArgs {
  if (typeof fit !== 'object' || Array.isArray(fit)) throw typeError(NAME, 'fit', 'be options of fitOhem', fit);
  const wrong = OF_ONE_RUN.find((name) => (fit as FitOhemArgs)[name] !== undefined);
  if (wrong !== undefined) {
    throw typeError(NAME, `fit.${wrong}`, 'be left out: each fold has rows and a model of its own', Object(fit)[wrong]);
  }
  if (fit.optimizer === undefined || fit.optimizer === null || typeof fit.optimizer === 'string') return fit;
  const remedy = 'An optimizer that holds slots of another model would train this one differently.';
  throw typeError(NAME, 'fit.optimizer', 'be the name of an optimizer', fit.optimizer, remedy);
}

/** Assigns rows to folds, spreading each class evenly. */
function foldsOf(
  values: ArrayLike<number>,
  shape: readonly number[],
  folds: number,
  uniform: () => number,
): {foldOf: number[]; isExclusive: boolean; most: number} {
  const [size = 0] = shape;
  const columns = values.length / Math.max(size, 1);
  if (shape.length < 1 || shape.length > 2 || size < folds) {
    throw rangeError(NAME, 'y', `have shape [N] or [N, C] with N >= ${folds}, the folds`, shapeText(shape));
  }
  const labels = columns === 1 ? integers(values) : oneHotLabels(values, columns);
  const classes = new Map<number, number[]>();
  for (const row of shuffled(size, uniform)) {
    const label = labels?.[row] ?? 0;
    const ofLabel = classes.get(label);
    if (ofLabel) ofLabel.push(row);
    else classes.set(label, [row]);
  }
  const foldOf = new Array<number>(size);
  let next = 0;
  for (const [label, rows] of [...classes].sort(([one], [other]) => one - other)) {
    if (labels && rows.length < folds) {
      const remedy = 'Otherwise some fold would lack the class in its training or held-out rows.';
      throw rangeError(NAME, 'folds', `be at most ${rows.length}, the rows of class ${label}`, folds, remedy);
    }
    for (const row of rows) foldOf[row] = next++ % folds;
  }
  return {
    foldOf,
    isExclusive: labels !== undefined,
    most: columns === 1 ? [...classes.keys()].reduce((most, label) => Math.max(most, label), 0) : 0,
  };
}

function integers(values: ArrayLike<number>): number[] {
  const labels = Array.from(values);
  const wrong = labels.findIndex((label) => !(Number.isInteger(label) && label >= 0));
  if (wrong < 0) return labels;
  throw rangeError(NAME, 'y', 'hold class numbers, integers >= 0', `${labels[wrong]} at position ${wrong}`);
}

/** Returns the class of each row; undefined if some row is not one-hot. */
function oneHotLabels(values: ArrayLike<number>, columns: number): number[] | undefined {
  const labels: number[] = [];
  for (let at = 0; at < values.length; at += columns) {
    const ofRow = Array.from({length: columns}, (_, column) => values[at + column] as number);
    if (!ofRow.every((value) => value === 0 || value === 1)) return undefined;
    if (ofRow.filter((value) => value === 1).length !== 1) return undefined;
    labels.push(ofRow.indexOf(1));
  }
  return labels;
}

function rowsIn<T extends StepTensors[]>(all: T, rows: number[]): StepTensors[] {
  const index = tensor1d(rows, 'int32') as Tensor1D;
  return all.map((tensors) => eachTensor(tensors, (tensor) => takeRows(tensor, index)));
}

/** The predictions so far. */
interface Predicted {
  values: Float32Array | undefined;
  columns: number;
  rows: number;
}

/** Predicts the held-out rows batch by batch. */
async function predict(
  predicted: Predicted,
  given: TrainableModel,
  loss: unknown,
  x: StepTensors,
  rows: number[],
  {batchSize, fromLogits, isExclusive}: {batchSize: number; fromLogits: boolean; isExclusive: boolean},
): Promise<void> {
  const model = readyModel(NAME, given, loss);
  for (let start = 0; start < rows.length; start += batchSize) {
    const batch = rows.slice(start, start + batchSize);
    const outputs = tidy(() => probabilitiesOf(outputOf(model, x, batch), {fromLogits, isExclusive}));
    const columns = outputs.shape[1];
    predicted.columns = columns;
    predicted.values ??= new Float32Array(predicted.rows * columns);
    const values = await outputs.data();
    outputs.dispose();
    for (const [place, row] of batch.entries()) {
      predicted.values.set(values.subarray(place * columns, (place + 1) * columns), row * columns);
    }
  }
}

/** Runs some rows forward in inference mode, for the output of the model. */
function outputOf(model: LayersModel, x: StepTensors, rows: number[]): Tensor2D {
  return tidy(() => {
    const {xs, formed} = inputsOf(NAME, 'x', model, rowsIn([x], rows)[0] as StepTensors);
    const outputs = outputsOf(model, formed(xs), false);
    const [output] = outputs as [Tensor];
    if (outputs.length === 1 && output.rank === 2) return output as Tensor2D;
    const got = outputs.length === 1 ? shapeText(output.shape) : `${outputs.length} outputs`;
    throw typeError(NAME, 'makeModel', 'build a model with one output [B, C]', got);
  });
}

function probabilitiesOf(
  output: Tensor2D,
  {fromLogits, isExclusive}: {fromLogits: boolean; isExclusive: boolean},
): Tensor2D {
  const isOne = output.shape[1] === 1;
  if (!isOne) return (fromLogits ? (isExclusive ? softmax(output) : sigmoid(output)) : output) as Tensor2D;
  const p = fromLogits ? sigmoid(output) : output;
  return concat([sub(1, p), p], 1) as Tensor2D;
}

/** Disposes the model of a fold and its optimizer. */
function disposeModel(model: TrainableModel): void {
  const {optimizer} = model as {optimizer?: Optimizer};
  if (model instanceof LayersModel) model.dispose();
  else dispose(model.variables);
  optimizer?.dispose();
}
