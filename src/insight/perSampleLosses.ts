import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkOptionNames} from '../checks';
import type {StepTensors} from '../models/modelTensors';
import {type PerSampleLossesOptions, SCORING_OPTIONS, scoreRows, scoring} from './scoring';

const NAME = 'perSampleLosses';

/**
 * Computes the loss of every row of a data set, as the model stands now.
 *
 *     l_i = Σ_outputs lossWeight · loss(y_i, model(x_i)),    in inference mode
 *
 * The data stay where they are: a batch is copied at a time, its losses are read with those of other batches, and the event loop gets
 * its turn. Without regularisers and weights of samples or classes. A loss `float32[B, …]` counts as its mean over the further axes, without ignored
 * labels; a row that has nothing but those has loss 0. A row with a loss or an input that is not finite is not left out: its loss stays NaN or ±∞.
 *
 * @param model  a `LayersModel` with any number of inputs and outputs; it stays as it is.
 * @param x  inputs, as `ohemStep` takes them: a tensor `[N, …]`, a list, or a record by name; they stay yours.
 * @param y  targets in the same form.
 * @param options  `loss`, a function or the name of a loss, or one for each output (default: what the model was compiled with);
 *   `lossWeights` (default 1 each); `batchSize` (default 32): more rows are faster where memory allows.
 * @returns a promise of the losses, `Float32Array` of `N`, in the order of the rows.
 * @throws TypeError or RangeError (as a rejection, before anything is computed) if there is no loss, `x` or `y` does not fit the
 *   model, their rows differ, or `batchSize` is not an integer ≥ 1.
 *
 * @example
 * const model = tf.sequential({layers: [tf.layers.dense({units: 1, kernelInitializer: 'ones', inputShape: [1]})]});
 * const [x, y] = [tf.tensor2d([[1], [2], [3]]), tf.tensor2d([[1], [0], [2]])];
 * await perSampleLosses(model, x, y, {loss: 'meanSquaredError'});   // Float32Array [0, 4, 1]
 */
export async function perSampleLosses(
  model: LayersModel,
  x: StepTensors,
  y: StepTensors,
  options: PerSampleLossesOptions = {},
): Promise<Float32Array> {
  checkOptionNames(NAME, options, SCORING_OPTIONS);
  return scoreRows(scoring(NAME, model, x, y, options));
}
