import type {Nullable} from '../checks';
import type {TrainableModel} from '../models/functionModel';
import type {SavingOptions} from '../trainers/checkpoint/savedTraining';
import {saveTo} from '../trainers/checkpoint/saveTo';
import type {TrainingState} from '../trainers/checkpoint/trainingState';
import {fileStore} from './trainingFile';

/**
 * Saves a checkpoint to a single file in a folder.
 *
 *     folder/training.ohem ← {weights, optimizer, state}
 *
 * The file is replaced atomically: whenever the process is killed, it holds this checkpoint or the
 * previous one. Saves to one folder run one after the other, in the order of the calls. Saves of
 * several processes do not disturb each other, and the last one stays. The folder is created if it
 * does not exist. If `training.ohem` is a symbolic link, the link is replaced and its target stays
 * unchanged; a link to a folder is followed. The rest is as in `saveTraining` of `ohem-tfjs`.
 *
 * @param folder  path of a folder for this training run alone.
 * @param model  the model in training.
 * @param state  the argument of `checkpoint` of `fitOhem`, or the `state` of its history.
 * @param options  `optimizer`, if it is not the one the model was compiled with.
 * @returns a promise that resolves once everything is in the file.
 * @throws TypeError or RangeError naming the argument, also for weights that are not finite; and
 *   errors of the file system; as a rejected promise.
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
  model: TrainableModel,
  state: TrainingState,
  options: Nullable<SavingOptions> | null = {},
): Promise<void> {
  await saveTo(fileStore('saveTraining', folder), model, state, options);
}
