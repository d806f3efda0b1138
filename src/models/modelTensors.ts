/** @file What a model is given, in its order: tensors, and whatever goes by output. */

import {expandDims, Tensor, tidy} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {rangeError, shapeText, typeError} from '../checks';

/** Tensors as `trainOnBatch` takes them: one, a list in the order of the model, or a record by name. */
export type StepTensors = Tensor | Tensor[] | Record<string, Tensor>;

/** Checks inputs and targets for a model, and puts them in its order; `names` is what errors call the two. */
export function modelTensors(
  where: string,
  model: LayersModel,
  x: StepTensors,
  y: StepTensors,
  names: readonly [x: string, y: string] = ['xs', 'ys'],
): {xs: Tensor[]; ys: Tensor[]} {
  const [xName, yName] = names;
  const xs = tensorsByName(where, xName, model.inputNames, x).map(withFeatures);
  const ys = tensorsByName(where, yName, model.outputNames, y).map(withFeatures);
  const rows = xs[0]?.shape[0] ?? 0;
  if (rows === 0) throw rangeError(where, xName, 'have at least one row', xs[0]?.shape ?? 0);
  for (const [i, input] of xs.entries()) {
    const [inputName = '', shape = []] = [model.inputNames[i], model.inputs[i]?.shape];
    if (input.shape[0] !== rows) {
      const constraint = `have the same number of rows in every input, ${rows}`;
      throw typeError(where, xName, constraint, `${input.shape[0]} in ${inputName}`);
    }
    if (!fits(input, shape)) {
      throw typeError(where, xName, `have the shape of the input ${inputName}, ${shapeText(shape)}`, input.shape);
    }
  }
  for (const target of ys) {
    if (target.shape[0] !== rows) {
      throw typeError(where, yName, `have as many rows as ${xName}, ${rows}`, target.shape[0]);
    }
  }
  return {xs, ys};
}

/** tfjs reads one value a row as one feature. */
function withFeatures(tensor: Tensor): Tensor {
  return tensor.rank === 1 ? expandDims(tensor, 1) : tensor;
}

function fits(input: Tensor, shape: (number | null)[]): boolean {
  return (
    input.rank === shape.length &&
    shape.every((size, axis) => axis === 0 || size === null || size === input.shape[axis])
  );
}

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

/** Something for each output of a model: one for all of them, a list in their order, or a record by their names. */
export type PerOutput<T> = T | T[] | Record<string, T>;

/** Lists what is meant for each output of a model; what a record leaves out is undefined. */
export function byOutput<T>(
  where: string,
  argument: string,
  model: LayersModel,
  given: PerOutput<T>,
): (T | undefined)[] {
  const names = model.outputNames;
  if (Array.isArray(given)) return checkedList(where, argument, names, given);
  if (isRecord<T>(given)) return byName(where, argument, names, given);
  return names.map(() => given);
}

/** Lists tensors in the order of `names`, from one tensor, a list of them, or a record by name; none may be missing. */
export function tensorsByName(where: string, argument: string, names: string[], given: PerOutput<Tensor>): Tensor[] {
  const listed = given instanceof Tensor ? [given] : given;
  const tensors = Array.isArray(listed) ? listed : byName(where, argument, names, listed ?? {});
  if (!tensors.every((tensor) => tensor instanceof Tensor)) {
    const constraint = `be a tensor, or tensors for ${names.join(', ')}`;
    throw typeError(where, argument, constraint, given, 'Make tensors of arrays with tf.tensor().');
  }
  return checkedList(where, argument, names, tensors);
}

function byName<T>(where: string, argument: string, names: string[], record: Record<string, T>): (T | undefined)[] {
  const unknown = Object.keys(record).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw typeError(where, argument, `have the names ${names.join(', ')}`, unknown);
  return names.map((name) => record[name]);
}

function checkedList<T>(where: string, argument: string, names: string[], list: T[]): T[] {
  if (list.length !== names.length) {
    throw typeError(where, argument, `have ${names.length} items (${names.join(', ')})`, `${list.length}`);
  }
  return list;
}

function isRecord<T>(given: PerOutput<T>): given is Record<string, T> {
  return typeof given === 'object' && given !== null && !(given instanceof Tensor);
}
