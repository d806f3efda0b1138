import {dispose, io, type Optimizer, type Tensor} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {shapeText, typeError} from '../../checks';
import {weightsOf} from '../../models/model';
import {turnsEnded} from './inTurn';
import {
  checkedOptimizer,
  fitsSlot,
  restoreSlots,
  type SavedTraining,
  type SavingOptions,
  SLOTS,
  type Store,
} from './savedTraining';
import {checkState, type TrainingState} from './trainingState';

const NAME = 'resumeTraining';

/** Resumes from the checkpoint in a store, if there is one; see `resumeTraining`. */
export async function resumeFrom(
  {handler, turn}: Store,
  isThere: () => Promise<boolean>,
  model: LayersModel,
  options: SavingOptions,
): Promise<TrainingState | undefined> {
  const optimizer = checkedOptimizer(NAME, model, options);
  await turnsEnded(turn);
  if (!(await isThere())) return undefined;
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
