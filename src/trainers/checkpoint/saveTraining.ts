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
 * In a browser, `'indexeddb://my-training'` saves to the page's database. In Node, import this
 * function from `ohem-tfjs/node`, which writes to a folder. A checkpoint is also a model that
 * `tf.loadLayersModel` loads from the same URL. Exceptions are a function model, a layer that
 * cannot be serialised as JSON, and inner models with layers of equal names.
 *
 * The checkpoint holds the optimizer's slots, learning rate and step count; the other
 * hyperparameters are those of the new optimizer. A custom optimizer must keep its slots in fields,
 * as the optimizers of tfjs do: a tensor each, or lists of `{originalName: 'weight/…', variable}`.
 * Numbers that `getConfig` does not list are saved too.
 *
 * The checkpoint is a snapshot at the time of the call, even if training continues before it is
 * written. Saves to one target run one after the other, in the order of the calls.
 *
 * @param target  a URL that tfjs has a handler for, or an `io.IOHandler`.
 * @param model  the model in training.
 * @param state  the argument of `checkpoint` of {@link fitOhem}, or the `state` of its history. It
 *   may hold any plain data, including NaN, infinities and undefined.
 * @param options  `optimizer`, if it is not the one the model was compiled with.
 * @returns a promise that resolves once everything is saved.
 * @throws TypeError or RangeError naming the argument, also for a state or optimizer that could not
 *   be restored: a state that is not plain data, an optimizer with slots elsewhere. RangeError for
 *   trained weights, or best weights, that are not finite; the earlier checkpoint stays. Errors of
 *   the handler. All as a rejected promise.
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
