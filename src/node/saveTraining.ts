import type {LayersModel} from '@tensorflow/tfjs-layers';
import type {SavingOptions} from '../trainers/checkpoint/savedTraining';
import {saveTraining as saveTo} from '../trainers/checkpoint/saveTraining';
import type {TrainingState} from '../trainers/checkpoint/trainingState';
import {fileHandler, trainingFile} from './trainingFile';

const NAME = 'saveTraining';

/**
 * Saves a training in a folder: weights, slots of the optimizer, and the state, in one file, `training.ohem`.
 *
 *     folder/training.ohem ← {weights, slots, state}
 *
 * The file is replaced at once: whenever the process is killed, it holds this state or the one before. The folder is made if it is not there. The
 * same as `saveTraining` of `ohem-tfjs` in all else.
 *
 * @param folder  path of a folder that is this training's own.
 * @param model  the model in training.
 * @param state  what `checkpoint` of `fitOhem` is handed, or the `state` of its history.
 * @param options  `optimizer`, where it is not the one that the model was compiled with.
 * @returns a promise that is kept when all is on the disk.
 * @throws TypeError naming the argument, and errors of the file system; as a rejected promise.
 *
 * @example
 * import {saveTraining} from 'ohem-tfjs/node';
 * import {tmpdir} from 'node:os';
 *
 * const model = tf.sequential({layers: [tf.layers.dense({units: 1, inputShape: [2]})]});
 * model.compile({optimizer: 'adam', loss: 'meanSquaredError'});
 * const {state} = await fitOhem(model, tf.ones([8, 2]), tf.ones([8, 1]), {epochs: 3, verbose: 0});
 * await saveTraining(`${tmpdir()}/ohem-example`, model, state);
 */
export async function saveTraining(
  folder: string,
  model: LayersModel,
  state: TrainingState,
  options: SavingOptions = {},
): Promise<void> {
  await saveTo(fileHandler(NAME, trainingFile(NAME, folder)), model, state, options);
}
