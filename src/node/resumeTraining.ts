import {existsSync} from 'node:fs';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {resumeTraining as resumeFrom} from '../trainers/checkpoint/resumeTraining';
import type {SavingOptions} from '../trainers/checkpoint/savedTraining';
import type {TrainingState} from '../trainers/checkpoint/trainingState';
import {fileHandler, trainingFile} from './trainingFile';

const NAME = 'resumeTraining';

/**
 * Puts a model and its optimizer where a training stood that was saved in a folder, and says how to go on.
 *
 *     weights, slots ← folder/training.ohem;   initialState = its state
 *
 * The same as `resumeTraining` of `ohem-tfjs` in all else: with the same data and options the training ends where it would have ended undisturbed.
 *
 * @param folder  the path that {@link saveTraining} was given.
 * @param model  a model of the same architecture.
 * @param options  `optimizer`, where it is not the one that the model was compiled with; of the same kind as it was.
 * @returns a promise of the state for `initialState` of `fitOhem`; of undefined where nothing is saved there yet, so that the first run and the
 *   next ones are the same code.
 * @throws TypeError naming what does not fit: a file that is cut off, damaged or not ours, other weights, another optimizer; as a rejected promise.
 *   Nothing has changed then.
 *
 * @example
 * import {resumeTraining, saveTraining} from 'ohem-tfjs/node';
 * import {mkdtempSync} from 'node:fs';
 * import {tmpdir} from 'node:os';
 *
 * const folder = mkdtempSync(`${tmpdir()}/ohem-`);
 * const model = tf.sequential({layers: [tf.layers.dense({units: 1, inputShape: [2]})]});
 * model.compile({optimizer: 'adam', loss: 'meanSquaredError'});
 * const checkpoint = (state) => saveTraining(folder, model, state);
 * for (const epochs of [2, 5]) {
 *   const initialState = await resumeTraining(folder, model);   // undefined at first, then after 2 epochs
 *   await fitOhem(model, tf.ones([8, 2]), tf.ones([8, 1]), {epochs, verbose: 0, checkpoint, initialState});
 * }
 */
export async function resumeTraining(
  folder: string,
  model: LayersModel,
  options: SavingOptions = {},
): Promise<TrainingState | undefined> {
  const path = trainingFile(NAME, folder);
  return existsSync(path) ? resumeFrom(fileHandler(NAME, path), model, options) : undefined;
}
