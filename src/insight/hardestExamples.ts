import {checkCount, givenOptions, type Nullable} from '../checks';
import type {TrainableModel} from '../models/functionModel';
import type {StepTensors} from '../models/modelTensors';
import {type LabelAndPrediction, labelsAndPredictions} from './labelsAndPredictions';
import {hardness, largestFirst} from './largestFirst';
import {type PerSampleLossesOptions, SCORING_OPTIONS, scoreRows, scoring} from './perSampleLosses';

const NAME = 'hardestExamples';

export interface HardestExamplesOptions extends PerSampleLossesOptions {
  /** How many rows are wanted; more than there are mean all of them. Default 10. */
  count?: number;
}

/** A row of a data set with its loss, what was to be said of it and what the model said. */
export interface HardExample extends LabelAndPrediction {
  /** Row of the data set. */
  index: number;
  loss: number;
}

/**
 * Finds the rows of a data set that a model does worst on, with what they are labelled and what the model says.
 *
 *     rows = argsort(l, descending)[0 … count),    l = perSampleLosses(model, x, y)
 *
 * The first look at a model that has been trained: label errors, unreadable inputs and rare kinds stand at the top. Rows whose loss is
 * NaN or ±∞ come before all others, in the order of the data: they are what one has to see first. Labels and predictions are class numbers where the
 * model classifies: integer or one-hot labels beside a class axis, or labels 0 and 1 beside a sigmoid (1 from p ≥ ½ on); otherwise, and
 * so for several labels at once, they are the values. Runs all rows forward, and the rows that it found once more.
 *
 * @param model  a `LayersModel` with any number of inputs and outputs, or a function `{predict, variables}`; it stays
 *   as it is.
 * @param x  inputs, as `ohemStep` takes them: a tensor `[N, …]`, a list, or a record by name; they stay yours.
 * @param y  targets in the same form.
 * @param options  `count` (default 10), and `loss`, `lossWeights` and `batchSize` of {@link perSampleLosses}.
 * @returns a promise of at most `count` rows, `{index, loss, label, prediction}`, hardest first, ties to the lower index. `label` and `prediction` are
 *   numbers, lists of them where an output has several values, or records of these by output name.
 * @throws TypeError or RangeError (as a rejection, before anything is computed) if `count` is not an integer ≥ 1, and what
 *   {@link perSampleLosses} throws.
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
