import {io} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {weightsOf} from '../../models/model';
import {slotsOf} from '../step/update';
import {type SavedTraining, type SavingOptions, SLOTS, savingParts, slotPlaces} from './savedTraining';
import {checkState, type TrainingState} from './trainingState';

const NAME = 'saveTraining';

/**
 * Saves a training, to go on with it after a reload or a crash: weights, slots of the optimizer, and the state.
 *
 *     saved = {weights, slots, state}
 *
 * For the browser: `'indexeddb://my-training'` keeps it in the page's own database. In Node take the function of this name from `ohem-tfjs/node`, which
 * writes to a folder. What is saved is also a model: `tf.loadLayersModel` loads it from the same URL. The learning rate is not saved: it
 * is that of the optimizer with which the training goes on.
 *
 * @param target  a URL that tfjs has a handler for, or an `io.IOHandler`.
 * @param model  the model in training.
 * @param state  what `checkpoint` of {@link fitOhem} is handed, or the `state` of its history.
 * @param options  `optimizer`, where it is not the one that the model was compiled with.
 * @returns a promise that is kept when all is saved.
 * @throws TypeError naming the argument, and what the handler throws; as a rejected promise.
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
  model: LayersModel,
  state: TrainingState,
  options: SavingOptions = {},
): Promise<void> {
  const {handler, optimizer} = savingParts(NAME, target, 'save', model, options);
  checkState(NAME, 'state', state);
  const slots = slotPlaces(optimizer, model);
  const training: SavedTraining = {
    version: 1,
    state,
    optimizer: {className: optimizer.getClassName(), iterations: optimizer.iterations ?? 0, slots},
  };
  const originalNames = new Map(model.weights.map((weight) => [weight.read(), weight.originalName]));
  const weights = await io.encodeWeights(
    weightsOf(model).map((tensor) => ({name: originalNames.get(tensor) as string, tensor})),
  );
  const ofSlots = await io.encodeWeights(
    slotsOf(optimizer).map(({variable}, i) => ({name: `slot/${i}`, tensor: variable})),
    SLOTS,
  );
  await handler.save?.({
    modelTopology: model.toJSON(null, false) as object,
    format: 'layers-model',
    generatedBy: 'ohem-tfjs',
    weightSpecs: [...weights.specs, ...ofSlots.specs],
    weightData: io.concatenateArrayBuffers([weights.data, ofSlots.data]),
    userDefinedMetadata: {training},
  });
}
