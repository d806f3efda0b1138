import {dispose, io, type Tensor} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {type Nullable, shapeText, typeError} from '../../checks';
import type {TrainableModel} from '../../models/functionModel';
import {weightsOf} from '../../models/model';
import {turnsEnded} from './inTurn';
import {layerStates, restoreLayerStates} from './layerStates';
import {checkOptimizerState, restoreOptimizer} from './optimizerState';
import {fromJson} from './plainData';
import {type SavedTraining, type SavingOptions, SLOTS, type Store, savedParts} from './savedTraining';
import {checkState, type TrainingState} from './trainingState';

const NAME = 'resumeTraining';

/** Resumes from the checkpoint in a store if there is one; see `resumeTraining`. */
export async function resumeFrom(
  {handler, turn}: Store,
  isThere: () => Promise<boolean>,
  given: TrainableModel,
  options: Nullable<SavingOptions> | null,
): Promise<TrainingState | undefined> {
  const {model, optimizer} = savedParts(NAME, given, options);
  await turnsEnded(turn);
  if (!(await isThere())) return undefined;
  const {weightData, weightSpecs = [], userDefinedMetadata} = ((await handler.load?.()) ?? {}) as io.ModelArtifacts;
  const training = savedTraining(userDefinedMetadata);
  checkBytes(weightData, weightSpecs);
  const tensors = tensorsIn(io.concatenateArrayBuffers([weightData ?? []].flat()), weightSpecs);
  try {
    const weights = tensors.filter((_, i) => weightSpecs[i]?.group !== SLOTS);
    const [slots, states] = splitAt(training.optimizer.slots.length, tensors.slice(weights.length));
    checkWeightShapes(model, weights);
    checkLayerStates(model, states);
    checkBest(model, training.state);
    checkOptimizerState(NAME, optimizer, model, training.optimizer, slots);
    for (const [i, weight] of weightsOf(model).entries()) weight.assign(weights[i] as Tensor);
    if (states.length > 0) restoreLayerStates(model, states);
    restoreOptimizer(optimizer, model, training.optimizer, slots);
  } finally {
    dispose(tensors);
  }
  return training.state;
}

function savedTraining(metadata: unknown): SavedTraining {
  const {training} = Object(metadata) as {training?: SavedTraining};
  const {version, optimizer}: Partial<SavedTraining> = Object(training);
  if (Number(version) > 2) {
    const constraint = 'hold a checkpoint of this version of ohem-tfjs or an earlier one';
    throw typeError(NAME, 'target', constraint, `one of format ${version}`, 'Install a newer version.');
  }
  if ((version !== 1 && version !== 2) || !Array.isArray(optimizer?.slots)) {
    throw typeError(NAME, 'target', 'hold a checkpoint that saveTraining has saved', 'something else');
  }
  const decoded = (version === 1 ? training : fromJson(training)) as SavedTraining;
  checkState(NAME, 'state in target', decoded.state);
  return decoded;
}

/** Decodes tensors by position. Names are not unique: layers of inner models may share them. */
function tensorsIn(data: ArrayBuffer, specs: io.WeightsManifestEntry[]): Tensor[] {
  return Object.values(
    io.decodeWeights(
      data,
      specs.map((spec, i) => ({...spec, name: `${i}`})),
    ),
  );
}

function checkBest(model: LayersModel, {best}: TrainingState): void {
  const sizes = weightsOf(model).map(({size}) => size);
  if (!best || String(best.weights.map(({length}) => length)) === String(sizes)) return;
  throw typeError(NAME, 'best weights in target', 'be those of the model', `${best.weights.length} of other sizes`);
}

const BYTES: Record<string, number> = {bool: 1, complex64: 8};

function checkBytes(data: io.WeightData | undefined, specs: io.WeightsManifestEntry[]): void {
  const due = specs.map(({shape, dtype}) => shape.reduce((size, axis) => size * axis, BYTES[dtype] ?? 4));
  const expected = due.reduce((sum, bytes) => sum + bytes, 0);
  const got = [data ?? []].flat().reduce((sum, {byteLength}) => sum + byteLength, 0);
  if (got !== expected) throw typeError(NAME, 'target', `hold all ${expected} bytes of the weights`, `${got}`);
}

function checkWeightShapes(model: LayersModel, saved: Tensor[]): void {
  const own = shapesOf(weightsOf(model));
  if (shapesOf(saved) !== own) {
    throw typeError(NAME, 'target', `hold weights of the shapes of the model, ${own}`, shapesOf(saved));
  }
}

/**
 * Checks the states of recurrent layers. A version 1 checkpoint has none; the layers then keep
 * theirs.
 */
function checkLayerStates(model: LayersModel, saved: Tensor[]): void {
  const own = shapesOf(layerStates(model));
  if (saved.length > 0 && shapesOf(saved) !== own) {
    const constraint = `hold states of the shapes of the stateful layers, ${own || 'none'}`;
    throw typeError(NAME, 'target', constraint, shapesOf(saved));
  }
}

function shapesOf(tensors: Tensor[]): string {
  return tensors.map(({dtype, shape}) => `${dtype === 'float32' ? '' : dtype}${shapeText(shape)}`).join(' ');
}

function splitAt<T>(count: number, items: T[]): [T[], T[]] {
  return [items.slice(0, count), items.slice(count)];
}
