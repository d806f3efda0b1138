import {io, type Optimizer, type Tensor, util} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {type Nullable, rangeError} from '../../checks';
import type {TrainableModel} from '../../models/functionModel';
import {trainableIn, weightsOf} from '../../models/model';
import {inTurn} from './inTurn';
import {layerStates} from './layerStates';
import {optimizerState} from './optimizerState';
import {toJson} from './plainData';
import {type SavingOptions, SLOTS, type Store, savedParts} from './savedTraining';
import {checkState, type TrainingState} from './trainingState';

const NAME = 'saveTraining';

/** Saves a checkpoint to a store; see `saveTraining`. */
export async function saveTo(
  {handler, turn}: Store,
  given: TrainableModel,
  state: TrainingState,
  options: Nullable<SavingOptions> | null,
): Promise<void> {
  const {model, optimizer} = savedParts(NAME, given, options);
  checkState(NAME, 'state', state);
  const trainable = new Set(trainableIn(model));
  for (const [i, weight] of weightsOf(model).entries()) {
    if (trainable.has(weight)) checkFinite('best.weights of state', state.best?.weights[i] ?? []);
  }
  await inTurn(turn, artifactsOf(model, optimizer, state), (artifacts) => handler.save?.(artifacts));
}

/**
 * Builds the artifacts to save. All reads start before the first `await`: a caller that does not
 * wait continues training, and weights, slots and state must be of the same moment.
 */
async function artifactsOf(model: LayersModel, optimizer: Optimizer, state: TrainingState): Promise<io.ModelArtifacts> {
  const {saved, values} = optimizerState(NAME, optimizer, model);
  const training = {
    version: 2,
    state: toJson(NAME, 'state', state),
    optimizer: toJson(NAME, 'optimizer', saved),
  };
  const modelTopology = topologyOf(model);
  const originalNames = new Map(model.weights.map((weight) => [weight.read(), weight.originalName]));
  const ofModel = weightsOf(model).map((tensor) => ({name: originalNames.get(tensor) as string, tensor}));
  const trainable = new Set<Tensor>(trainableIn(model));
  const [weights, others] = await Promise.all([
    io.encodeWeights(ofModel),
    io.encodeWeights([...named('slot', values), ...named('state', layerStates(model))], SLOTS),
  ]);
  checkWeights(ofModel, trainable, weights.data);
  return {
    modelTopology,
    format: 'layers-model',
    generatedBy: 'ohem-tfjs',
    weightSpecs: [...weights.specs, ...others.specs],
    weightData: io.concatenateArrayBuffers([weights.data, others.data]),
    userDefinedMetadata: {training},
  };
}

/** A weight, with its name. */
interface Named {
  name: string;
  tensor: Tensor;
}

/**
 * Checks that the trained weights are finite, in the bytes that were read: a second read would see
 * later weights. Constants of a model may be infinite.
 */
function checkWeights(ofModel: readonly Named[], trainable: ReadonlySet<Tensor>, data: ArrayBuffer): void {
  let end = 0;
  for (const {name, tensor} of ofModel) {
    const start = end;
    end += tensor.size * util.bytesPerElement(tensor.dtype);
    if (tensor.dtype !== 'float32' || !trainable.has(tensor)) continue;
    checkFinite(`weight ${name} of model`, new Float32Array(data.slice(start, end)));
  }
}

function checkFinite(argument: string, values: ArrayLike<number>): void {
  const got = Array.prototype.find.call(values, (value) => !Number.isFinite(value));
  if (got === undefined) return;
  const remedy = 'The model has diverged: keep the last checkpoint, lower the learning rate, or set clipNorm.';
  throw rangeError(NAME, argument, 'be finite', got, remedy);
}

/**
 * Returns the layers of a model as JSON. Empty for a function model, or if a layer cannot be
 * serialised. Resuming does not need it, because the caller passes the model to `resumeTraining`.
 */
function topologyOf(model: LayersModel): object {
  try {
    return JSON.parse(model.toJSON(null) as string);
  } catch {
    return {};
  }
}

function named(kind: string, tensors: Tensor[]): Named[] {
  return tensors.map((tensor, i) => ({name: `${kind}/${i}`, tensor}));
}
