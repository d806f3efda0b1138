/** @file What must not change while something is tried out on a model. */
import {dispose, getBackend, memory, type Tensor, type Variable} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {statefulLayers} from '../../src/models/model';

/** All that a model, its optimizer and the engine hold, to be compared with itself later. */
export async function heldBy(model: LayersModel, ...others: Tensor[]) {
  const valuesOf = async (tensors: Tensor[]) => Promise.all(tensors.map(async (tensor) => [...(await tensor.data())]));
  const states = statefulLayers(model).flatMap(({states_}) => states_);
  const weights = model.weights.map((weight) => weight.read() as Variable);
  const {numTensors, numBytes} = memory();
  const slots = (await model.optimizer?.getWeights()) ?? [];
  // The count of steps is no slot, but made for the list.
  dispose(slots.filter(({name}) => name === 'iter').map(({tensor}) => tensor));
  return {
    ...{backend: getBackend(), numTensors, numBytes},
    /** Which data the weights point to, on which backend they are. */
    data: [...weights, ...states, ...others].map(({dataId}) => dataId),
    weights: await valuesOf(weights),
    states: await valuesOf(states),
    others: await valuesOf(others),
    slots: slots.flatMap(({name, tensor}) => (tensor.isDisposed ? [] : [{name, data: tensor.dataId}])),
    trains: (model as unknown as {isTraining: boolean}).isTraining,
  };
}
