import {io, type Optimizer, type Tensor} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import type {Nullable} from '../../checks';
import type {TrainableModel} from '../../models/functionModel';
import {weightsOf} from '../../models/model';
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
  const [weights, others] = await Promise.all([
    io.encodeWeights(weightsOf(model).map((tensor) => ({name: originalNames.get(tensor) as string, tensor}))),
    io.encodeWeights([...named('slot', values), ...named('state', layerStates(model))], SLOTS),
  ]);
  return {
    modelTopology,
    format: 'layers-model',
    generatedBy: 'ohem-tfjs',
    weightSpecs: [...weights.specs, ...others.specs],
    weightData: io.concatenateArrayBuffers([weights.data, others.data]),
    userDefinedMetadata: {training},
  };
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

function named(kind: string, tensors: Tensor[]): {name: string; tensor: Tensor}[] {
  return tensors.map((tensor, i) => ({name: `${kind}/${i}`, tensor}));
}
