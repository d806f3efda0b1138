import {checkCount, givenOptions, type Nullable} from '../checks';
import type {TrainableModel} from '../models/functionModel';
import type {StepTensors} from '../models/modelTensors';
import {type LabelAndPrediction, labelsAndPredictions} from './labelsAndPredictions';
import {hardness, largestFirst} from './largestFirst';
import {type PerSampleLossesOptions, SCORING_OPTIONS, scoreRows, scoring} from './perSampleLosses';

const NAME = 'hardestExamples';

export interface HardestExamplesOptions extends PerSampleLossesOptions {
  /** Number of rows to return, at most all rows. Default 10. */
  count?: number;
}

/** A row of a data set with its loss, label and prediction. */
export interface HardExample extends LabelAndPrediction {
  /** Row of the data set. */
  index: number;
  loss: number;
}

/**
 * Finds the rows of a data set with the largest losses, with their labels and predictions.
 *
 *     rows = argsort(l, descending)[0 … count),    l = perSampleLosses(model, x, y)
 *
 * Use it first on a trained model: label errors, unreadable inputs and rare kinds come first. Rows
 * with a loss of NaN or ±∞ precede all others, in the order of the data.
 *
 * Labels and predictions are class numbers if the model classifies. That holds for integer or
 * one-hot labels with a class axis, and for labels 0 and 1 with a sigmoid (1 from p ≥ ½). In all
 * other cases, such as several labels at once, they are the values. Runs a forward pass over all
 * rows, and a second one over the rows that it found.
 *
 * @param model  a `LayersModel` with any number of inputs and outputs, or a function
 *   `{predict, variables}`; it is not changed.
 * @param x  inputs, as for `ohemStep`: a tensor `[N, …]`, a list, or a record by name; the caller
 *   keeps them.
 * @param y  targets in the same form.
 * @param options  `count` (default 10), and `loss`, `lossWeights` and `batchSize` of
 *   {@link perSampleLosses}.
 * @returns a promise of at most `count` rows, `{index, loss, label, prediction}`, hardest first;
 *   ties keep the lower index. `label` and `prediction` are numbers, lists of numbers for outputs
 *   with several values, or records of these by output name.
 * @throws TypeError or RangeError (as a rejection, before anything is computed) if `count` is not
 *   an integer ≥ 1, and the errors of {@link perSampleLosses}.
 *
 * @example
 * const model = tf.sequential({layers: [tf.layers.dense({units: 2, activation: 'softmax', inputShape: [2]})]});
 * model.setWeights([tf.tensor2d([[4, 0], [0, 4]]), tf.zeros([2])]);
 * const [x, y] = [tf.tensor2d([[1, 0], [0, 1], [1, 0]]), tf.tensor1d([0, 1, 1], 'int32')];
 * const [hardest] = await hardestExamples(model, x, y, {loss: 'sparseCategoricalCrossentropy', count: 1});
 * [hardest.index, hardest.loss, hardest.label, hardest.prediction];   // [2, 4.018150, 1, 0]
 */
export async function hardestExamples(
  model: TrainableModel,
  x: StepTensors,
  y: StepTensors,
  options?: Nullable<HardestExamplesOptions> | null,
): Promise<HardExample[]> {
  const {count = 10, ...scoringOptions} = givenOptions(NAME, options, ['count', ...SCORING_OPTIONS]);
  checkCount(NAME, 'count', count);
  const task = scoring(NAME, model, x, y, scoringOptions);
  const losses = await scoreRows(task);
  const rows = largestFirst(task.rows, count, (row) => hardness(losses[row] as number));
  const shown = await labelsAndPredictions(task, rows);
  return shown.map((ofRow, place) => ({
    index: rows[place] as number,
    loss: losses[rows[place] as number] as number,
    ...ofRow,
  }));
}
