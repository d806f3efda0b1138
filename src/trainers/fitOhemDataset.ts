import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkCount, type Nullable, rangeError, typeError} from '../checks';
import type {BatchSource} from '../data/batchSource';
import {chosenBatches} from '../data/chosenBatches';
import {datasetBatches, type OhemDataset} from '../data/datasetBatches';
import {batchesInOrder, validationRows} from '../data/tensorBatches';
import type {TrainableModel} from '../models/functionModel';
import {readyModel} from '../models/model';
import {targetNames} from '../models/modelLosses';
import type {StepTensors} from '../models/modelTensors';
import {type FitOptions, fitOptions, seedOf} from './fit/fitOptions';
import {type OhemHistory, train} from './fit/training';

const NAME = 'fitOhemDataset';
const OPTIONS: Record<Exclude<keyof FitOhemDatasetArgs, keyof FitOptions>, true> = {
  ...{batchesPerEpoch: true, rows: true},
  ...{validationData: true, validationBatchSize: true, validationBatches: true},
};

/**
 * Arguments of {@link fitOhemDataset}: those of tfjs's `fitDataset`, the options of `ohemStep`, and
 * more.
 */
export interface FitOhemDatasetArgs extends FitOptions {
  /**
   * Batches per epoch; the dataset is then not restarted for each epoch. Default: an epoch ends
   * with the dataset.
   */
  batchesPerEpoch?: number;
  /**
   * Number of rows in each epoch of the dataset; required by a sampler. Default: the size of the
   * ledger.
   */
  rows?: number;
  /**
   * Data to validate on at the end of each epoch: `[x, y]`, or a dataset, which is restarted each
   * time.
   */
  validationData?: [StepTensors, StepTensors] | OhemDataset;
  /** Batch size of the validation on `[x, y]`. Default 32. */
  validationBatchSize?: number;
  /** Number of validation batches. Default: all. */
  validationBatches?: number;
}

/**
 * Trains a model on the hard rows of each batch of a dataset: `model.fitDataset` with mining.
 *
 *     for each batch of the dataset:  w ← ohemStep(w, batch)
 *
 * The dataset is one of `tf.data`, any iterable or async iterable of batches, or a function
 * `(epoch) => …` that returns one. A generator runs only once, so pass the function that creates
 * it. A batch is `{xs, ys}` or `[xs, ys]`. It may also have `index`, the rows of the dataset for a
 * ledger, `sampleWeight`, and inputs of the selector (`valid`, `positive`, `group`, `boxes`,
 * `reference`). Batches may differ in size. Callbacks, and the `progress` of a learning rate, get
 * the number of batches from the `size` of the dataset if that is finite, otherwise from the
 * previous epoch.
 *
 * A `sampler` needs `rows`, their number, and in each item an `index`, so that each row appears
 * once per epoch. Rows that are not chosen are dropped before batches are assembled. The chosen
 * rows of one or more items form a batch, as large as the largest item so far, in the order of the
 * dataset. An item whose rows are all chosen stays one batch. To rescore rows at the end of an
 * epoch, the dataset is restarted with the same epoch, and all of it is pulled once more.
 *
 * The tensors of a batch are disposed after its step, as in tfjs, except those of an array of
 * batches, which the next epoch needs. Arguments, logs, calls in a loop, and the treatment of
 * non-finite rows are as in {@link fitOhem}. A run that resumes in the middle of an epoch pulls the
 * completed batches and skips them, so the dataset must yield the same ones again; a function gets
 * the epoch to shuffle by.
 *
 * @param model  a `LayersModel`, or a function with its variables, {@link FunctionModel}. Its
 *   optimizer, loss and metrics are those that it was compiled with, unless `options` has others.
 * @param dataset  the source of the batches.
 * @param args  see {@link FitOhemDatasetArgs}.
 * @returns a promise of a `tf.History` that also has the `state` in which the run ended.
 * @throws TypeError or RangeError naming the argument, for a dataset also if it yields no batch or
 *   fewer than `batchesPerEpoch`; RangeError as {@link fitOhem} if nothing finite is left to learn
 *   from; and any error of the dataset. All as a rejected promise, with the weights of the last
 *   completed step.
 *
 * @example
 * const model = tf.sequential({layers: [tf.layers.dense({units: 1, inputShape: [3]})]});
 * async function* batches() {
 *   for (let i = 0; i < 4; i++) yield {xs: tf.randomNormal([8, 3]), ys: tf.ones([8, 1])};
 * }
 * const options = {loss: meanSquaredError(), optimizer: tf.train.sgd(0.1), select: topK({k: 2}), verbose: 0};
 * const {history} = await fitOhemDataset(model, batches, {...options, epochs: 3});
 * history.kept;   // [8, 8, 8]
 *
 * @see Shrivastava, Gupta & Girshick, CVPR 2016, §4 (arXiv:1604.03540)
 */
export async function fitOhemDataset(
  model: TrainableModel,
  dataset: OhemDataset,
  args?: Nullable<FitOhemDatasetArgs> | null,
): Promise<OhemHistory> {
  const options = fitOptions<FitOhemDatasetArgs>(NAME, args, OPTIONS);
  const trained = readyModel(NAME, model, options.loss);
  const {batchesPerEpoch, validationData, validationBatches} = options;
  if (batchesPerEpoch !== undefined) checkCount(NAME, 'batchesPerEpoch', batchesPerEpoch);
  if (validationBatches !== undefined) checkCount(NAME, 'validationBatches', validationBatches);
  const validation = validationData === undefined ? undefined : validationSource(trained, validationData, options);
  const items = datasetBatches(NAME, 'dataset', trained, dataset, batchesPerEpoch);
  const size = rowsToChoose(options);
  const training = size === undefined ? items : chosenBatches(items, {where: NAME, argument: 'dataset', size});
  return train({where: NAME, model: trained, options, seed: seedOf(options, trained), training, validation});
}

/** Returns the number of rows that a sampler chooses from; undefined without a sampler. */
function rowsToChoose({sampler, rows, ledger, batchesPerEpoch}: FitOhemDatasetArgs): number | undefined {
  if (rows !== undefined) checkCount(NAME, 'rows', rows);
  if (rows !== undefined && ledger?.size !== undefined && ledger.size < rows) {
    throw rangeError(NAME, 'ledger', `have room for ${rows} rows, as given by rows`, ledger.size);
  }
  if (sampler === undefined) return undefined;
  if (batchesPerEpoch !== undefined) {
    const remedy = 'With a sampler, an epoch is the whole dataset.';
    throw typeError(NAME, 'batchesPerEpoch', 'be left out with a sampler', batchesPerEpoch, remedy);
  }
  const size = rows ?? ledger?.size;
  if (size === undefined)
    throw typeError(NAME, 'rows', 'be given with a sampler', size, 'Pass the number of rows in the dataset.');
  return size;
}

function validationSource(
  model: LayersModel,
  given: [StepTensors, StepTensors] | OhemDataset,
  {loss, validationBatchSize = 32, validationBatches}: FitOhemDatasetArgs,
): BatchSource {
  if (isPair(given)) {
    const rows = {...validationRows(NAME, model, targetNames(model, loss), given), first: 0};
    return batchesInOrder(NAME, rows, validationBatchSize, validationBatches);
  }
  if (isOneRun(given)) {
    const constraint = 'be a dataset that can be restarted for each epoch';
    throw typeError(NAME, 'validationData', constraint, 'a generator', 'Pass the function that creates it.');
  }
  return datasetBatches(NAME, 'validationData', model, given, undefined, validationBatches);
}

/** Whether the value is `[x, y]`, and not a list of two batches. */
function isPair(given: [StepTensors, StepTensors] | OhemDataset): given is [StepTensors, StepTensors] {
  if (!Array.isArray(given) || given.length !== 2) return false;
  return !given.every((item: object) => 'xs' in item && 'ys' in item);
}

function isOneRun(given: OhemDataset): boolean {
  return typeof given === 'object' && 'next' in given;
}
