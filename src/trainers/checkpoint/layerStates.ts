/** @file States of stateful recurrent layers, which carry over from batch to batch. */

import {clone, dispose, keep, type Tensor} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {partsOf} from '../../models/model';

/** A recurrent layer, seen through the field in which tfjs keeps its states. */
interface Recurrent {
  states_: Tensor[] | null;
}

function statefulLayers(model: LayersModel): Recurrent[] {
  const layers = partsOf(model).filter((layer) => layer.stateful) as unknown as Recurrent[];
  // A model that contains such a layer is `stateful` too, but has no states of its own.
  return layers.filter(({states_}) => Array.isArray(states_));
}

/** Lists the states of all stateful layers of a model. */
export function layerStates(model: LayersModel): Tensor[] {
  return statefulLayers(model).flatMap(({states_}) => states_ as Tensor[]);
}

/** Restores saved states into the stateful layers of a model, in the order of `layerStates`. */
export function restoreLayerStates(model: LayersModel, saved: readonly Tensor[]): void {
  let next = 0;
  for (const layer of statefulLayers(model)) {
    const before = layer.states_ as Tensor[];
    layer.states_ = before.map(() => keep(clone(saved[next++] as Tensor)));
    dispose(before);
  }
}
