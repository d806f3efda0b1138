import {createHash} from 'node:crypto';
import {dispose, type Optimizer, tidy} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {flattened, unflattened} from './flat';
import {sizeOf, variablesOf} from './network';

/** The weights and the momenta after a number of steps: all that a shard needs to resume. */
export interface TrainingState {
  /** Steps taken. */
  step: number;
  weights: Float32Array;
  /** Empty before the first step. */
  momenta: Float32Array;
}

/** Reads the state of a run. */
export async function stateOf(model: LayersModel, optimizer: Optimizer, step: number): Promise<TrainingState> {
  const [iterations, ...slots] = await optimizer.getWeights();
  iterations?.tensor.dispose();
  return {step, weights: flattened(variablesOf(model)), momenta: flattened(slots.map(({tensor}) => tensor))};
}

/** Puts a model and its optimizer into a state. */
export async function restore(
  model: LayersModel,
  optimizer: Optimizer,
  {step, weights, momenta}: TrainingState,
): Promise<void> {
  const variables = variablesOf(model);
  const isThere = weights.length === sizeOf(variables) && [0, weights.length].includes(momenta.length);
  if (!isThere)
    throw new RangeError(`restore: the state must have ${sizeOf(variables)} weights, got ${weights.length}.`);
  tidy(() => {
    const values = unflattened(weights, variables);
    for (const variable of variables) variable.assign(values[variable.name] as typeof variable);
  });
  if (step === 0 || momenta.length === 0) return;
  const slots = unflattened(momenta, variables);
  const named = variables.map(({name}) => ({name: `${name}/momentum`, tensor: slots[name] as (typeof slots)[string]}));
  const iterations = await optimizer.saveIterations();
  await optimizer.setWeights([iterations, ...named]);
  dispose([iterations.tensor, ...Object.values(slots)]);
}

/** SHA-256 of weights and momenta: equal in two shards if every bit is. */
export function fingerprintOf({weights, momenta}: Pick<TrainingState, 'weights' | 'momenta'>): string {
  const hash = createHash('sha256');
  for (const {buffer, byteOffset, byteLength} of [weights, momenta])
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest('hex');
}
