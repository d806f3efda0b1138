import type {Nullable} from '../checks';
import type {TrainableModel} from '../models/functionModel';
import {resumeFrom} from '../trainers/checkpoint/resumeFrom';
import type {SavingOptions} from '../trainers/checkpoint/savedTraining';
import type {TrainingState} from '../trainers/checkpoint/trainingState';
import {fileStore, hasFile} from './trainingFile';

const NAME = 'resumeTraining';

/**
 * Restores a model and its optimizer from a folder, and returns the state to resume from.
 *
 *     weights, optimizer ← folder/training.ohem;   initialState = its state
 *
 * With the same data and options, the resumed run reaches the same weights as an uninterrupted run.
 * The rest is as in `resumeTraining` of `ohem-tfjs`.
 *
 * @param folder  the folder passed to {@link saveTraining}.
 * @param model  a model of the same architecture, or a function with variables of the same shapes.
 * @param options  `optimizer`, if it is not the one the model was compiled with; its class must be
 *   that of the saved one.
 * @returns a promise of the state to pass as `initialState` of `fitOhem`. It is undefined if
 *   nothing is saved there yet, so the same code serves the first run and later ones.
 * @throws TypeError naming what does not fit: a file that is truncated, damaged or another one,
 *   other weights, another optimizer; and errors of the file system; as a rejected promise. Nothing
 *   has changed then.
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
  model: TrainableModel,
  options: Nullable<SavingOptions> | null = {},
): Promise<TrainingState | undefined> {
  return resumeFrom(fileStore(NAME, folder), () => hasFile(NAME, folder), model, options);
}
