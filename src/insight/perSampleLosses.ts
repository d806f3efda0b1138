import {where as chooseEach, dispose, fill, slice, type Tensor1D, tidy} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkCount, givenOptions, type Nullable} from '../checks';
import {finiteRows} from '../finite';
import type {JointLoss} from '../losses/jointLoss';
import {classesLastFor} from '../models/classAxis';
import type {TrainableModel} from '../models/functionModel';
import {outputsOf, readyModel} from '../models/model';
import {type Losses, modelLosses, modelLossWeights, outputLosses, targetNames} from '../models/modelLosses';
import {
  type BatchNames,
  DATA_NAMES,
  eachTensor,
  type ModelData,
  modelData,
  modelTensors,
  type StepTensors,
} from '../models/modelTensors';
import {addUp} from '../rows';
import type {PerSampleLoss} from '../types';
import {readTogether} from './readTogether';

const NAME = 'perSampleLosses';

export interface PerSampleLossesOptions {
  /**
   * Loss, or one loss per output (list, or record by output name): functions or names of tfjs.
   * Default: the compiled loss of the model.
   */
  loss?: Losses;
  /** Weight of each output's loss. Default 1 each. */
  lossWeights?: number[] | Record<string, number>;
  /** Number of rows scored at a time; affects only losses across rows. Default 32. */
  batchSize?: number;
}

/** The names of {@link PerSampleLossesOptions}. */
export const SCORING_OPTIONS = ['loss', 'lossWeights', 'batchSize'] as const;

/**
 * Computes the loss of every row of a data set with the current weights of a model.
 *
 *     l_i = Σ_outputs lossWeight · loss(y_i, model(x_i)),    in inference mode
 *
 * Copies a batch of the data at a time, reads the losses of many batches together, and yields to
 * the event loop. Excludes regularisers, sample weights and class weights.
 *
 * A loss `float32[B, …]` is averaged over the further axes, without ignored labels; a row with
 * ignored labels only has loss 0. Rows with a loss or an input that is not finite are included:
 * their loss is NaN or ±∞.
 *
 * @param model  a `LayersModel` with any number of inputs and outputs, or a function
 *   `{predict, variables}`; it is not changed.
 * @param x  inputs, as for `ohemStep`: a tensor `[N, …]`, a list, or a record by name; the caller
 *   keeps them.
 * @param y  targets in the same form.
 * @param options  `loss`, a function or the name of a loss, or one for each output (default: the
 *   compiled loss); `lossWeights` (default 1 each); `batchSize` (default 32): more rows are faster
 *   if memory allows.
 * @returns a promise of the losses, a `Float32Array` of `N`, in the order of the rows.
 * @throws TypeError or RangeError (as a rejection, before anything is computed) if there is no
 *   loss, `x` or `y` does not match the model, their rows differ, or `batchSize` is not an integer
 *   ≥ 1.
 *
 * @example
 * const model = tf.sequential({layers: [tf.layers.dense({units: 1, kernelInitializer: 'ones', inputShape: [1]})]});
 * const [x, y] = [tf.tensor2d([[1], [2], [3]]), tf.tensor2d([[1], [0], [2]])];
 * await perSampleLosses(model, x, y, {loss: 'meanSquaredError'});   // Float32Array [0, 4, 1]
 */
export async function perSampleLosses(
  model: TrainableModel,
  x: StepTensors,
  y: StepTensors,
  options?: Nullable<PerSampleLossesOptions> | null,
): Promise<Float32Array> {
  return scoreRows(scoring(NAME, model, x, y, givenOptions(NAME, options, SCORING_OPTIONS)));
}

/** A model with the data to score it on, checked and in the order of the model. */
export interface Scoring extends ModelData {
  where: string;
  model: LayersModel;
  losses: PerSampleLoss[] | [JointLoss];
  targets: BatchNames['targets'];
  lossWeights: number[];
  batchSize: number;
}

/** Number of rows whose losses stay on the device until they are read together. */
const ROWS_PER_READ = 4096;

/** Milliseconds between yields to the event loop. */
const TURN = 40;

/** Checks the arguments of a scoring; computes nothing. */
export function scoring(
  where: string,
  given: TrainableModel,
  x: StepTensors,
  y: StepTensors,
  {loss, lossWeights, batchSize = 32}: PerSampleLossesOptions,
  mayBeEmpty = false,
): Scoring {
  const model = readyModel(where, given, loss);
  checkCount(where, 'batchSize', batchSize);
  const losses = modelLosses(where, model, loss);
  const targets = targetNames(model, losses[0]);
  const weights = modelLossWeights(where, targets ?? ['loss'], lossWeights);
  const data = modelData(where, model, x, y, {targets, mayBeEmpty});
  return {...data, where, model, losses, targets, lossWeights: weights, batchSize};
}

/**
 * Scores all rows in inference mode, one batch at a time.
 *
 * Reads the losses of many batches together and yields to the event loop now and then. Copies only
 * one batch of the data at a time.
 */
export async function scoreRows(task: Scoring): Promise<Float32Array> {
  const {rows, batchSize} = task;
  const scored = new Float32Array(rows);
  const unread: Tensor1D[] = [];
  let read = 0;
  let turn = Date.now();
  try {
    for (let start = 0; start < rows; start += batchSize) {
      const end = Math.min(start + batchSize, rows);
      unread.push(tidy(() => batchLosses(task, start, end - start)));
      if (end - read >= ROWS_PER_READ || end === rows) {
        for (const losses of await readTogether(unread.splice(0))) {
          scored.set(losses, read);
          read += losses.length;
        }
      }
      if (Date.now() - turn > TURN) {
        // On cpu and wasm `data()` resolves immediately and never yields, so yield explicitly.
        await new Promise((resolve) => setTimeout(resolve, 0));
        turn = Date.now();
      }
    }
    return scored;
  } finally {
    dispose(unread);
  }
}

function batchLosses(task: Scoring, start: number, count: number): Tensor1D {
  const {where, model, losses, lossWeights, targets} = task;
  const rowsOf = (tensors: StepTensors) => eachTensor(tensors, (tensor) => slice(tensor, start, count));
  const names = {...DATA_NAMES, targets};
  const {xs, ys, formed} = modelTensors(where, model, rowsOf(task.xs), rowsOf(task.ys), names);
  const {truths, predicted} = classesLastFor(model, losses);
  const predictions = predicted(outputsOf(model, formed(xs), false));
  const scored = addUp(outputLosses(where, losses, lossWeights, truths(ys), predictions));
  const finite = finiteRows(xs, count);
  // On some backends a ReLU of NaN is 0, and such a row would look easy.
  return finite ? chooseEach(finite, scored, fill(scored.shape, Number.NaN)) : scored;
}
