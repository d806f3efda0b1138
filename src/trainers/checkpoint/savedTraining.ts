/** @file The form in which a training is saved. */

import {io, type Optimizer, type Tensor, type Variable, variable} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkOptionNames, typeError} from '../../checks';
import {modelOptimizer, readyModel, weightsOf} from '../../models/model';
import {type ListedSlot, slotsOf} from '../step/update';
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

/** A place for a checkpoint. */
export interface Store {
  handler: io.IOHandler;
  /** Saves of the same `turn` run one after the other. */
  turn: unknown;
}

/** Finds the store of a target: the handler that it is, or the one that tfjs has for its URL. */
export function storeOf(where: string, target: io.IOHandler | string, kind: 'save' | 'load'): Store {
  const routes = {save: io.getSaveHandlers, load: io.getLoadHandlers};
  const handler = typeof target === 'string' ? (routes[kind](target)[0] as io.IOHandler | undefined) : target;
  if (typeof handler?.[kind] !== 'function') {
    const constraint = "be an io handler of tfjs or the URL of one ('indexeddb://my-training')";
    const remedy = "For a folder take this function from 'ohem-tfjs/node'.";
    throw typeError(where, 'target', constraint, target, remedy);
  }
  return {handler, turn: target};
}

/** Checks the model and the options of saving and resuming; finds the optimizer. */
export function checkedOptimizer(where: string, model: LayersModel, options: SavingOptions): Optimizer {
  readyModel(where, model);
  checkOptionNames(where, options, ['optimizer']);
  return modelOptimizer(where, model, options.optimizer, 'Pass the one that fitOhem was given.');
}

/** Where a slot of an optimizer is, as plain JSON. */
interface SlotPlace {
  /** The field of the optimizer. */
  field: string;
  /** Its place in that field, where it is a list; a list has a slot for each weight. */
  place?: number;
  /** The weight of the model that it belongs to. */
  weight?: number;
}

/** Where the slots are, by the number of the weight: names change from one run to another. */
export function slotPlaces(optimizer: Optimizer, model: LayersModel): SlotPlace[] {
  const names = weightsOf(model).map(({name}) => name);
  return slotsOf(optimizer).map(({field, place, owner}) => {
    return place === undefined ? {field} : {field, place, weight: names.indexOf(owner ?? '')};
  });
}

/** Whether an optimizer has such a slot, or would make it for a weight of that model. */
export function fitsSlot(optimizer: Optimizer, model: LayersModel, slot: SlotPlace, value: Tensor): boolean {
  const held = fieldsOf(optimizer)[slot.field];
  const like = slot.weight === undefined ? held : weightsOf(model)[slot.weight];
  return (slot.weight === undefined || Array.isArray(held)) && String((like as Tensor)?.shape) === String(value.shape);
}

/**
 * Gives an optimizer the slots that it had. Not by its own `setWeights`: that computes powers of Adam's decay rates anew, a little different, and not
 * every optimizer has one.
 */
export function restoreSlots(optimizer: Optimizer, model: LayersModel, places: SlotPlace[], values: Tensor[]): void {
  const fields = fieldsOf(optimizer);
  const weights = weightsOf(model);
  for (const {field, place, variable: old} of slotsOf(optimizer)) {
    if (place === undefined) continue;
    old.dispose();
    fields[field] = [];
  }
  for (const [i, {field, place, weight}] of places.entries()) {
    const value = values[i] as Tensor;
    if (place === undefined || weight === undefined) (fields[field] as Variable).assign(value);
    else {
      const originalName = `${weights[weight]?.name}/${field}`;
      (fields[field] as ListedSlot[])[place] = {originalName, variable: variable(value, false)};
    }
  }
}

function fieldsOf(optimizer: Optimizer): Record<string, unknown> {
  return optimizer as unknown as Record<string, unknown>;
}
