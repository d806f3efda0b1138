import {
  checkBoolean,
  checkCount,
  checkUnitInterval,
  type Nullable,
  rangeError,
  typeError,
  warnWithoutEffect,
} from '../checks';
import type {RowContext, SampleWeights} from '../data/batchOptions';
import {
  batchesInOrder,
  checkRowData,
  rowsFrom,
  shuffledRows,
  tensorBatches,
  validationRows,
} from '../data/tensorBatches';
import type {TrainableModel} from '../models/functionModel';
import {readyModel} from '../models/model';
import {targetNames} from '../models/modelLosses';
import {modelData, type StepTensors} from '../models/modelTensors';
import {type FitOptions, fitOptions, seedOf} from './fit/fitOptions';
import {type OhemHistory, train} from './fit/training';

const OPTIONS: Record<Exclude<keyof FitOhemArgs, keyof FitOptions>, true> = {
  ...{batchSize: true, shuffle: true, validationSplit: true, validationData: true, validationBatchSize: true},
  ...{validationSteps: true, stepsPerEpoch: true, sampleWeight: true, context: true},
};

/** Arguments of {@link fitOhem}: those of tfjs's `fit`, the options of `ohemStep`, and more. */
export interface FitOhemArgs extends FitOptions {
  /** Rows per batch, the `n` of the paper. Default 32. */
  batchSize?: number;
  /** Whether each epoch shuffles the rows. Default true. */
  shuffle?: boolean;
  /** Share of the rows, from the end, that is held out for validation. */
  validationSplit?: number;
  /** Data to validate on at the end of each epoch, `[x, y]`. Overrides `validationSplit`. */
  validationData?: [StepTensors, StepTensors];
  /** Batch size of the validation. Default: `batchSize`. */
  validationBatchSize?: number;
  /** Number of validation batches. Default: all. */
  validationSteps?: number;
  /** Number of batches per epoch. Default: all. */
  stepsPerEpoch?: number;
  /**
   * Weight of each row of the data, `float32[N]`, or of each element, `float32[N, …]`; applied
   * before selection.
   */
  sampleWeight?: SampleWeights;
  /**
   * Inputs of the selector, a tensor with one value per row of the data: `{positive: …}`. If
   * elements are mined, one per element, `[N, …]`.
   */
  context?: Nullable<RowContext>;
}

/**
 * Trains a model on the hard rows of each batch: `model.fit` with mining.
 *
 *     for each batch:  w ← ohemStep(w, batch)
 *
 * Takes the arguments of `fit`, and adds a seed, row weights, learning rate schedules, a budget and
 * accumulated batches. Callbacks of both kinds go in one list, and the best weights can be
 * restored. A signal stops a run, and a saved state resumes it. Only the rows of the current batch
 * are copied. Reads once per step.
 *
 * The logs have the names of tfjs. `loss` is that of the kept rows, with regularisers. The metrics
 * the model was compiled with are over all rows, from the forward pass of the step; `val_…` is over
 * all rows, never mined. `batchLoss` is the mean loss of all rows, `kept` the number of rows
 * trained on, and `learningRate` is logged if it is given. With several outputs, `<output>_loss` is
 * the mean over all rows, and `val_loss` the weighted sum of all outputs. Metrics follow the loss
 * in use, and leave out rows and labels that do not count.
 *
 * A call with the model and optimizer of the last call continues its shuffles, draws, schedule and
 * memory, so `epochs: 1` in a loop is one long run. After a call that ended within an epoch, the
 * rows follow in the order of the next epoch. `progress` and `budget` are those of one call. With
 * `accumulate: m`, batches left over at the end of an epoch make a smaller update.
 *
 * A `sampler` chooses the rows of each epoch; the others skip the forward pass too. Each epoch
 * shuffles them into `ceil(rows / batchSize)` batches, which steps and progress count. The weights
 * of a sampler multiply the loss as `sampleWeight` does: `Σ w·l / B`. The sampler sees the latest
 * loss of each row before any weight. At the end of an epoch, it may have rows rescored, which runs
 * them forward in inference mode. The logs add `rows`, the number trained on, and `rescored`, the
 * number run forward only for scores. A loop of calls with the same sampler continues it. Each call
 * is a run with an end, so a sampler that finishes on all rows does so in every call.
 *
 * With `granularity: 'element'`, `kept` and all means count elements, and metrics see them as rows.
 * Rows whose loss is not finite are left out, and a warning lists the first ones. Warnings also
 * report a model that diverges, gradients that are not finite, and, once, embeddings of a pair loss
 * that collapse to a point. So are weights that are not finite at the end of an epoch; they are
 * never the best ones. A GPU reads them for `restoreBestWeights` only.
 *
 * @param model  a `LayersModel`, or a function with its variables, {@link FunctionModel}. Its
 *   optimizer, loss and metrics are those that it was compiled with, unless `options` has others.
 * @param x  `float32[N, …]`: a tensor, or for several inputs a list or a record by name. Stays
 *   yours.
 * @param y  the targets in the same way.
 * @param args  see {@link FitOhemArgs}.
 * @returns a promise of a `tf.History` that also has the `state` in which the run ended.
 * @throws TypeError or RangeError naming the argument, before any training, also for a model that
 *   another call is training. RangeError naming epoch, batch and rows if no row of a batch has a
 *   finite loss, for an epoch in which no step changed anything, and for a schedule that returns a
 *   rate below 0 or NaN. The weights are then those of the last completed step. All as a rejected
 *   promise.
 *
 * @example
 * const model = tf.sequential({layers: [tf.layers.dense({units: 2, activation: 'softmax', inputShape: [3]})]});
 * model.compile({optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['accuracy']});
 * const [x, y] = [tf.randomNormal([64, 3]), tf.oneHot(tf.zeros([64], 'int32'), 2)];
 * const {history} = await fitOhem(model, x, y, {select: topK({ratio: 0.5}), epochs: 2, batchSize: 16, seed: 7, verbose: 0});
 * history.kept;   // [32, 32]
 *
 * @see Shrivastava, Gupta & Girshick, CVPR 2016, §4 (arXiv:1604.03540)
 */
export async function fitOhem(
  model: TrainableModel,
  x: StepTensors,
  y: StepTensors,
  args?: Nullable<FitOhemArgs> | null,
): Promise<OhemHistory> {
  return fitAs('fitOhem', model, x, y, args);
}

/** Implements {@link fitOhem}, with the function name that errors show. */
export async function fitAs(
  where: string,
  model: TrainableModel,
  x: StepTensors,
  y: StepTensors,
  args?: Nullable<FitOhemArgs> | null,
): Promise<OhemHistory> {
  const options = fitOptions<FitOhemArgs>(where, args, OPTIONS);
  const trained = readyModel(where, model, options.loss);
  const targets = targetNames(trained, options.loss);
  const {batchSize = 32, shuffle = true, sampleWeight, context, stepsPerEpoch, validationSplit = 0} = options;
  checkCount(where, 'batchSize', batchSize);
  warnIfAllAreKept(where, options, batchSize);
  if (isDataset(x)) {
    throw typeError(where, 'x', 'be tensors', 'a dataset', 'Call fitOhemDataset(model, dataset, options).');
  }
  checkBoolean(where, 'shuffle', shuffle);
  if (typeof (context ?? {}) !== 'object') throw typeError(where, 'context', 'be a record of tensors', context);
  const ofRows = Object.entries(context ?? {}).filter(([, tensor]) => tensor !== null && tensor !== undefined);
  checkUnitInterval(where, 'validationSplit', validationSplit);
  const all = modelData(where, trained, x, y, {targets});
  const {rows: count} = all;
  const data = {...all, sampleWeight, context: Object.fromEntries(ofRows) as RowContext};
  checkRowData(where, data, count, options.granularity);
  const isSplit = validationSplit > 0 && options.validationData === undefined;
  const rows = isSplit ? Math.floor(count * (1 - validationSplit)) : count;
  if (rows === 0) throw rangeError(where, 'validationSplit', 'leave a row to train on', validationSplit);
  const {size = rows} = options.ledger ?? {};
  if (size < rows) throw rangeError(where, 'ledger', `have room for ${rows} rows`, size);
  if (stepsPerEpoch !== undefined) checkSteps(where, stepsPerEpoch, Math.ceil(rows / batchSize));
  const {validationData, validationBatchSize = batchSize, validationSteps} = options;
  const held = validationData && validationRows(where, trained, targets, validationData);
  const heldOut = held ? {...held, first: 0} : {...all, first: rows};
  const seed = seedOf(options, trained);
  const order = (epoch: number) => (shuffle ? shuffledRows(rows, seed, epoch) : rowsFrom(0, rows));
  return train({
    ...{where, model: trained, options, seed, batchSize, isShuffled: shuffle},
    training: tensorBatches(data, batchSize, rows, order, stepsPerEpoch),
    ...(heldOut.rows > heldOut.first && {
      validation: batchesInOrder(where, heldOut, validationBatchSize, validationSteps),
    }),
  });
}

/** Whether a value is a dataset of `tf.data`, or a generator. */
function isDataset(x: unknown): boolean {
  const members = Object(x) as {forEachAsync?: unknown; next?: unknown};
  return typeof members.forEachAsync === 'function' || typeof members.next === 'function';
}

/** Warns of a selector that keeps at least as many rows as a batch has. */
function warnIfAllAreKept(where: string, {select, granularity = 'sample'}: FitOhemArgs, batchSize: number): void {
  const least = select?.keepsAtLeast ?? 0;
  if (least < batchSize || granularity === 'element') return;
  const remedy = 'nothing is mined. Pass a smaller k, a larger batchSize, or select: all()';
  warnWithoutEffect(where, 'select', `because it keeps ${least} rows of batches of ${batchSize}: ${remedy}`);
}

function checkSteps(where: string, stepsPerEpoch: number, batches: number): void {
  checkCount(where, 'stepsPerEpoch', stepsPerEpoch);
  if (stepsPerEpoch > batches) {
    const remedy = 'Omit it to train on all of them.';
    throw rangeError(where, 'stepsPerEpoch', `be at most ${batches}, the number of batches`, stepsPerEpoch, remedy);
  }
}
