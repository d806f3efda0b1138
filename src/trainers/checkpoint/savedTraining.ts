/** @file The format of a checkpoint. */

import {io, type Optimizer} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {givenOptions, type Nullable, typeError} from '../../checks';
import type {TrainableModel} from '../../models/functionModel';
import {modelOptimizer, readyModel} from '../../models/model';
import type {SavedOptimizer} from './optimizerState';
import type {TrainingState} from './trainingState';

/**
 * The checkpoint data beside weights and slots. Version 2 is encoded by `toJson`; version 1 is
 * plain JSON without the numbers of the optimizer.
 */
export interface SavedTraining {
  version: 1 | 2;
  state: TrainingState;
  optimizer: SavedOptimizer;
}

/** The group of weights that `tf.loadLayersModel` skips. */
export const SLOTS = 'optimizer';

export interface SavingOptions {
  /** Default: the optimizer that the model was compiled with. */
  optimizer?: Optimizer;
}

/** A place to save a checkpoint. */
export interface Store {
  handler: io.IOHandler;
  /** Key of the target: saves with the same `turn` run one after the other. */
  turn: unknown;
}

/** Finds the store of a target: the handler itself, or the tfjs handler of its URL. */
export function storeOf(where: string, target: io.IOHandler | string, kind: 'save' | 'load'): Store {
  const routes = {save: io.getSaveHandlers, load: io.getLoadHandlers};
  const handler = typeof target === 'string' ? (routes[kind](target)[0] as io.IOHandler | undefined) : target;
  if (typeof handler?.[kind] !== 'function') {
    const constraint = "be an io handler of tfjs or the URL of one ('indexeddb://my-training')";
    const remedy = "For a folder, import this function from 'ohem-tfjs/node'.";
    throw typeError(where, 'target', constraint, target, remedy);
  }
  return {handler, turn: target};
}

/** Checks the model and options of saving and resuming, and finds the optimizer. */
export function savedParts(
  where: string,
  given: TrainableModel,
  options: Nullable<SavingOptions> | null,
): {model: LayersModel; optimizer: Optimizer} {
  const model = readyModel(where, given);
  const {optimizer} = givenOptions<SavingOptions>(where, options, ['optimizer']);
  return {model, optimizer: modelOptimizer(where, model, optimizer, 'Pass the optimizer of fitOhem.')};
}
