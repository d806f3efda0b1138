import type {io} from '@tensorflow/tfjs-core';
import type {Nullable} from '../../checks';
import type {TrainableModel} from '../../models/functionModel';
import {type SavingOptions, storeOf} from './savedTraining';
import {saveTo} from './saveTo';
import type {TrainingState} from './trainingState';

/**
 * Saves a checkpoint from which training can resume after a reload or a crash.
 *
 *     saved = {weights, states of recurrent layers, optimizer, state}
 *
 * In a browser, `'indexeddb://my-training'` keeps it in the database of the page. In Node take the
 * function of this name from `ohem-tfjs/node`, which writes to a folder. A checkpoint is also a model:
 * `tf.loadLayersModel` loads it from the same URL, unless the model is a function, has a layer that
 * cannot be written as JSON, or has inner models with layers of equal names.
 *
 * Of the optimizer it has the slots, the learning rate and the count of steps; the other
 * hyperparameters are those of the new one. An optimizer of your own keeps its slots in fields: a
 * tensor each, or lists of `{originalName: 'weight/…', variable}`, as the optimizers of tfjs do.
 * Numbers that `getConfig` does not list are saved too.
 *
 * The checkpoint is that of the moment of the call, also if training continues before it is written.
 * Saves to one target are written one after the other, in the order of the calls.
 *
 * @param target  a URL that tfjs has a handler for, or an `io.IOHandler`.
 * @param model  the model in training.
 * @param state  the argument of `checkpoint` of {@link fitOhem}, or the `state` of its history. It may
 *   hold any plain data, also NaN, infinities and undefined.
 * @param options  `optimizer`, if it is not the one that the model was compiled with.
 * @returns a promise that resolves once everything is saved.
 * @throws TypeError or RangeError naming the argument, also for what could not be resumed: a state that
 *   is not plain data, an optimizer with slots elsewhere. Errors of the handler. All as a rejected
 *   promise.
 *
 * @example
 * const model = tf.sequential({layers: [tf.layers.dense({units: 1, inputShape: [2]})]});
 * model.compile({optimizer: 'adam', loss: 'meanSquaredError'});
 * let saved;
 * // In a page: const target = 'indexeddb://my-training';
 * const target = tf.io.withSaveHandler(async (artifacts) => { saved = artifacts; });
 * const checkpoint = (state) => saveTraining(target, model, state);
 * await fitOhem(model, tf.ones([8, 2]), tf.ones([8, 1]), {epochs: 3, verbose: 0, checkpoint});
 * saved.userDefinedMetadata.training.state.epoch;   // 3
 */
export async function saveTraining(
  target: io.IOHandler | string,
  model: TrainableModel,
  state: TrainingState,
  options: Nullable<SavingOptions> | null = {},
): Promise<void> {
  await saveTo(storeOf('saveTraining', target, 'save'), model, state, options);
}
