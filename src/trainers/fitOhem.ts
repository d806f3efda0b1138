import {checkCount, checkUnitInterval, type Nullable, rangeError, typeError} from '../checks';
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

/** The arguments of tfjs's `fit`, the options of `ohemStep`, and more. */
export interface FitOhemArgs extends FitOptions {
  /** Rows of a batch, the `n` of the paper. Default 32. */
  batchSize?: number;
  /** Whether each epoch has another order. Default true. */
  shuffle?: boolean;
  /** Share of the rows, from the end, that is not trained on but validated on. */
  validationSplit?: number;
  /** What is validated on at the end of each epoch, `[x, y]`; goes before `validationSplit`. */
  validationData?: [StepTensors, StepTensors];
  /** Default `batchSize`. */
  validationBatchSize?: number;
  /** Validates on the first so many batches. Default all. */
  validationSteps?: number;
  /** Ends an epoch after so many batches. Default all. */
  stepsPerEpoch?: number;
  /** What each row of the data counts, `float32[N]`, or each element, `float32[N, …]`; applied before selection. */
  sampleWeight?: SampleWeights;
  /** What the selector looks at, a tensor with a value for each row of the data: `{positive: …}`; where elements are mined, for each of these, `[N, …]`. */
  context?: RowContext;
}

/**
 * Trains a model on the hard rows of each batch: `model.fit` with mining.
 *
 *     for each batch:  w ← ohemStep(w, batch)
 *
 * Takes what `fit` takes, and what it lacks: a seed, weights of rows, learning rates over the run,
 * a budget, accumulated batches, callbacks of both kinds in one list, the best weights restored, a
 * signal to stop, and a state from which a run resumes. Only the rows of the batch at hand are
 * copied. Reads once a step.
 *
 * The logs have the names of tfjs: `loss` (of the kept rows, with regularisers), the metrics that
 * the model was compiled with (over all rows, from the forward pass of the step), `val_…` (over all
 * rows, never mined); and `batchLoss`, the mean of all rows, `kept`, how many were trained on, and
 * `learningRate` if it is given. With several outputs `<output>_loss` is the mean of all its rows,
 * and `val_loss` the weighted sum of all outputs. Metrics follow the loss in use, and leave out
 * rows and labels that do not count.
 *
 * A call for the model and optimizer of the last call continues its shuffles, draws, schedule and
 * memory, so `epochs: 1` in a loop is one long run. `progress` and `budget` are those of one call.
 * With `accumulate: m`, the batches that are left at the end of an epoch make a smaller update.
 *
 * With a `sampler` an epoch has the rows that this chooses: no other row runs forward. They come in
 * another order in each epoch, in `ceil(rows / batchSize)` batches, by which steps and progress are
 * counted. Weights of the sampler count as `sampleWeight` does: `Σ w·l / B`. It goes by the latest loss
 * of each row before any weight. Rows that it wants to know at the end of an epoch then run forward in
 * inference mode. Logs have `rows`, how many were trained on, and `rescored`, how many ran forward for
 * their scores alone. A loop of calls with the same sampler continues it; as each call is a run with
 * an end, a sampler that ends with all rows does so in each of them.
 *
 * With `granularity: 'element'` elements are counted, in `kept` and in all means, and metrics see
 * them as rows. Rows whose loss is not finite are left out; the first ones are named in a warning,
 * as is a model that diverges or has gradients that are not finite. Embeddings of a loss of pairs that
 * collapse to a point are warned of once.
 *
 * @param model  a `LayersModel`, or a function with its variables, {@link FunctionModel}. Its
 *   optimizer, loss and metrics are those that it was compiled with, unless `options` has others.
 * @param x  `float32[N, …]`: a tensor, or for several inputs a list or a record by name. Stays
 *   yours.
 * @param y  the targets in the same way.
 * @param args  see {@link FitOhemArgs}.
 * @returns a promise of a `tf.History` that also has the `state` in which the run ended.
 * @throws TypeError or RangeError naming the argument, before anything is trained, also for a model
 *   that another call trains; RangeError naming epoch, batch and rows if no row of a batch has a
 *   finite loss, for an epoch in which no step changed anything, and for a schedule that returns a
 *   rate below 0 or NaN. The weights are then those of the last whole step. All as a rejected
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

/** Does what {@link fitOhem} does, for a function that errors are to name. */
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
  if (typeof shuffle !== 'boolean') throw typeError(where, 'shuffle', 'be true or false', shuffle);
  if (typeof (context ?? {}) !== 'object') throw typeError(where, 'context', 'be a record of tensors', context);
  checkUnitInterval(where, 'validationSplit', validationSplit);
  const all = modelData(where, trained, x, y, {targets});
  const {rows: count} = all;
  const data = {...all, sampleWeight, context};
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

function checkSteps(where: string, stepsPerEpoch: number, batches: number): void {
  checkCount(where, 'stepsPerEpoch', stepsPerEpoch);
  if (stepsPerEpoch > batches) {
    const remedy = 'Leave it out to train on all of them.';
    throw rangeError(
      where,
      'stepsPerEpoch',
      `be at most ${batches}, the batches that there are`,
      stepsPerEpoch,
      remedy,
    );
  }
}
