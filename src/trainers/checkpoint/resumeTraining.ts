import {dispose, io, type Optimizer, type Tensor} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {shapeText, typeError} from '../../checks';
import {weightsOf} from '../../models/model';
import {fitsSlot, restoreSlots, type SavedTraining, type SavingOptions, SLOTS, savingParts} from './savedTraining';
import {checkState, type TrainingState} from './trainingState';

const NAME = 'resumeTraining';

/**
 * Puts a model and its optimizer where a saved training stood, and says how to go on.
 *
 *     weights, slots ← saved;   initialState = saved state
 *
 * With the same data and options the training ends at the very weights at which it would have ended undisturbed, on the same backend; but for what
 * draws its own random numbers, as dropout without a seed does. Everything is checked before anything changes.
 *
 * @param target  as in {@link saveTraining}.
 * @param model  a model of the same architecture.
 * @param options  `optimizer`, where it is not the one that the model was compiled with; of the same kind as it was.
 * @returns a promise of the state for `initialState` of {@link fitOhem}; of undefined where nothing is saved at that URL, so that the first run
 *   and the next ones are the same code. From a handler that holds nothing comes what it throws.
 * @throws TypeError naming what does not fit: no saved training, one that is cut off, other weights, another optimizer; as a rejected promise.
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
  model: LayersModel,
  options: SavingOptions = {},
): Promise<TrainingState | undefined> {
  const {handler, optimizer} = savingParts(NAME, target, 'load', model, options);
  if (typeof target === 'string' && !(target in (await io.listModels()))) return undefined;
  const {weightData, weightSpecs = [], userDefinedMetadata} = ((await handler.load?.()) ?? {}) as io.ModelArtifacts;
  const training = savedTraining(userDefinedMetadata);
  checkBytes(weightData, weightSpecs);
  const tensors = Object.values(io.decodeWeights(io.concatenateArrayBuffers([weightData ?? []].flat()), weightSpecs));
  try {
    const weights = tensors.filter((_, i) => weightSpecs[i]?.group !== SLOTS);
    const slots = tensors.slice(weights.length);
    checkWeightShapes(model, weights);
    checkOptimizer(optimizer, model, training, slots);
    for (const [i, weight] of weightsOf(model).entries()) weight.assign(weights[i] as Tensor);
    restoreSlots(optimizer, model, training.optimizer.slots, slots);
    (optimizer as unknown as {iterations_: number}).iterations_ = training.optimizer.iterations;
  } finally {
    dispose(tensors);
  }
  return training.state;
}

function savedTraining(metadata: unknown): SavedTraining {
  const {training} = Object(metadata) as {training?: SavedTraining};
  if (training?.version !== 1 || !Array.isArray(training.optimizer?.slots)) {
    throw typeError(NAME, 'target', 'hold a training that saveTraining has saved', 'something else');
  }
  checkState(NAME, 'state in target', training.state);
  return training;
}

const BYTES: Record<string, number> = {bool: 1, complex64: 8};

function checkBytes(data: io.WeightData | undefined, specs: io.WeightsManifestEntry[]): void {
  const due = specs.map(({shape, dtype}) => shape.reduce((size, axis) => size * axis, BYTES[dtype] ?? 4));
  const expected = due.reduce((sum, bytes) => sum + bytes, 0);
  const got = [data ?? []].flat().reduce((sum, {byteLength}) => sum + byteLength, 0);
  if (got !== expected) throw typeError(NAME, 'target', `hold all ${expected} bytes of the weights`, `${got}`);
}

function checkWeightShapes(model: LayersModel, saved: Tensor[]): void {
  const shapes = (tensors: Tensor[]) => tensors.map(({shape}) => shapeText(shape)).join(' ');
  const own = shapes(weightsOf(model));
  if (shapes(saved) !== own) {
    throw typeError(NAME, 'target', `hold weights of the shapes of the model, ${own}`, shapes(saved));
  }
}

function checkOptimizer(
  optimizer: Optimizer,
  model: LayersModel,
  {optimizer: saved}: SavedTraining,
  slots: Tensor[],
): void {
  const className = optimizer.getClassName();
  if (className !== saved.className) {
    throw typeError(NAME, 'optimizer', `be the ${saved.className} that was saved`, className);
  }
  const wrong = saved.slots.find((place, i) => !(slots[i] && fitsSlot(optimizer, model, place, slots[i])));
  if (wrong || slots.length !== saved.slots.length) {
    throw typeError(NAME, 'target', 'hold slots for the weights of the model', `others in ${wrong?.field ?? 'it'}`);
  }
}
