import {io} from '@tensorflow/tfjs-core';
import type {Nullable} from '../../checks';
import type {TrainableModel} from '../../models/functionModel';
import {resumeFrom} from './resumeFrom';
import {type SavingOptions, storeOf} from './savedTraining';
import type {TrainingState} from './trainingState';

/**
 * Restores a model and its optimizer from a checkpoint, and returns the state to resume from.
 *
 *     weights, optimizer ← saved;   initialState = saved state
 *
 * With the same data, options and backend, the resumed run reaches bit-identical weights to those
 * of an uninterrupted run. The exception is a layer that draws its own random numbers, such as
 * dropout without a seed. Everything is checked before anything changes. Unfinished saves to the
 * target are awaited first.
 *
 * @param target  as in {@link saveTraining}.
 * @param model  a model of the same architecture, or a function with variables of the same shapes.
 * @param options  `optimizer`, if it is not the one the model was compiled with; its class must be
 *   that of the saved one.
 * @returns a promise of the state to pass as `initialState` of {@link fitOhem}. It is undefined if
 *   nothing is saved under an `indexeddb://` or `localstorage://` URL, so the same code serves the
 *   first run and later ones. Any other handler that holds nothing throws its own error.
 * @throws TypeError naming what does not fit: no checkpoint, a truncated one, other weights,
 *   another optimizer; as a rejected promise.
 *
 * @example
 * const model = tf.sequential({layers: [tf.layers.dense({units: 1, inputShape: [2]})]});
 * model.compile({optimizer: 'adam', loss: 'meanSquaredError'});
 * const saved = [];
 * const checkpoint = (state) => saveTraining({save: async (artifacts) => saved.push(artifacts)}, model, state);
 * const [x, y] = [tf.ones([8, 2]), tf.ones([8, 1])];
 * await fitOhem(model, x, y, {epochs: 2, verbose: 0, checkpoint});
 * const initialState = await resumeTraining({load: async () => saved[0]}, model);   // initialState.epoch is 1
 * await fitOhem(model, x, y, {epochs: 2, verbose: 0, initialState});   // the second epoch again
 */
export async function resumeTraining(
  target: io.IOHandler | string,
  model: TrainableModel,
  options: Nullable<SavingOptions> | null = {},
): Promise<TrainingState | undefined> {
  const isThere = async () => !isListed(target) || target in (await io.listModels());
  return resumeFrom(storeOf('resumeTraining', target, 'load'), isThere, model, options);
}

/**
 * Whether tfjs can list the saves under URLs of this kind. Other handlers can only be loaded from.
 */
function isListed(target: io.IOHandler | string): target is string {
  return typeof target === 'string' && /^(indexeddb|localstorage):\/\//.test(target);
}
