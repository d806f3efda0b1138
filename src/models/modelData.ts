import {type Tensor, tidy} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {tensorsByName} from './byOutput';
import {modelTensors, type StepTensors} from './modelTensors';

/** A data set in the order of a model, in the tensors that were given. */
export interface ModelData {
  xs: Tensor[];
  ys: Tensor[];
  /** How many rows it has. */
  rows: number;
}

/** What errors call the inputs and the targets of a data set. */
export const DATA_NAMES = ['x', 'y'] as const;

/** Checks a data set for a model, and puts it in its order. */
export function modelData(
  where: string,
  model: LayersModel,
  x: StepTensors,
  y: StepTensors,
  names: readonly [x: string, y: string] = DATA_NAMES,
): ModelData {
  const xs = tensorsByName(where, names[0], model.inputNames, x);
  const ys = tensorsByName(where, names[1], model.outputNames, y);
  tidy(() => void modelTensors(where, model, xs, ys, names));
  return {xs, ys, rows: xs[0]?.shape[0] as number};
}
