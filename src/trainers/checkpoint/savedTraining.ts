/** @file The form in which a training is saved. */

import {io, type Optimizer} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {typeError} from '../../checks';
import {modelOptimizer} from '../../models/model';
import type {SlotPlace} from './optimizerSlots';
import type {TrainingState} from './trainingState';

/** What is saved beside the weights and the slots. */
export interface SavedTraining {
  version: 1;
  state: TrainingState;
  optimizer: {className: string; iterations: number; slots: SlotPlace[]};
}

/** The group of weights that `tf.loadLayersModel` passes over. */
export const SLOTS = 'optimizer';

export interface SavingOptions {
  /** Default: what the model was compiled with. */
  optimizer?: Optimizer;
}

/** The handler of a target: itself, or what tfjs has for its URL. */
export function handlerOf(where: string, target: io.IOHandler | string, kind: 'save' | 'load'): io.IOHandler {
  const routes = {save: io.getSaveHandlers, load: io.getLoadHandlers};
  const handler = typeof target === 'string' ? (routes[kind](target)[0] as io.IOHandler | undefined) : target;
  if (typeof handler?.[kind] !== 'function') {
    const constraint = "be an io handler of tfjs or the URL of one ('indexeddb://my-training')";
    const remedy = "For a folder take this function from 'ohem-tfjs/node'.";
    throw typeError(where, 'target', constraint, target, remedy);
  }
  return handler;
}

/** The optimizer whose slots belong to a training. */
export function optimizerOf(where: string, model: LayersModel, {optimizer}: SavingOptions): Optimizer {
  return modelOptimizer(where, model, optimizer, 'Pass the one that fitOhem was given.');
}
