/** @file Inputs and targets in the order of a model, and values per output. */

import {expandDims, Tensor, tidy} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {rangeError, shapeText, typeError} from '../checks';

/**
 * Tensors as `trainOnBatch` takes them: one, a list in the order of the model, or a record by name.
 */
export type StepTensors = Tensor | Tensor[] | Record<string, Tensor>;

/** A batch in the order of a model. */
export interface BatchTensors {
  xs: Tensor[];
  ys: Tensor[];
  /** Converts inputs like `xs` to the form that the model takes. */
  formed: (xs: Tensor[]) => StepTensors;
}

/** Names of the targets, and names of the arguments in errors. */
export interface BatchNames {
  /** One target per name; undefined if a joint loss takes any targets. */
  targets: readonly string[] | undefined;
  xName?: string;
  yName?: string;
  /** Whether there may be no row. Default false. */
  mayBeEmpty?: boolean;
}

/** Checks inputs and targets for a model, and puts them in its order. */
export function modelTensors(
  where: string,
  model: LayersModel,
  x: StepTensors,
  y: StepTensors,
  {targets, xName = 'xs', yName = 'ys', mayBeEmpty = false}: BatchNames,
): BatchTensors {
  const {xs, formed} = inputsOf(where, xName, model, x);
  const ys = targetsOf(where, yName, targets, y);
  const rows = xs[0]?.shape[0] ?? 0;
  if (rows === 0 && !mayBeEmpty) throw rangeError(where, xName, 'have at least one row', xs[0]?.shape ?? 0);
  for (const [i, input] of xs.entries()) {
    const [inputName = String(i), shape] = [model.inputNames[i], model.inputs[i]?.shape];
    if (input.shape[0] !== rows) {
      const constraint = `have the same number of rows in every input, ${rows}`;
      throw typeError(where, xName, constraint, `${input.shape[0]} in ${inputName}`);
    }
    if (shape && !fits(input, shape)) {
      throw typeError(where, xName, `have the shape of the input ${inputName}, ${shapeText(shape)}`, input.shape);
    }
  }
  for (const [name, tensors] of [
    [xName, xs],
    [yName, ys],
  ] as const) {
    const texts = tensors.find(({dtype}) => dtype === 'string');
    if (texts) throw typeError(where, name, 'hold numbers', texts, 'Encode texts as numbers.');
  }
  for (const target of ys) {
    if (target.shape[0] !== rows) {
      throw typeError(where, yName, `have as many rows as ${xName}, ${rows}`, target.shape[0] ?? 'a scalar');
    }
  }
  return {xs, ys, formed};
}

/** Lists inputs in the order of a model, with the conversion to the form that it takes. */
export function inputsOf(where: string, xName: string, model: LayersModel, x: StepTensors): Omit<BatchTensors, 'ys'> {
  // A function has no names for its inputs.
  if (model.inputNames.length === 0) return freeInputs(where, xName, x);
  const xs = tensorsByName(where, xName, model.inputNames, x).map(withFeatures);
  return {xs, formed: (inputs) => (inputs.length === 1 ? (inputs[0] as Tensor) : inputs)};
}

/** Lists the inputs of a function, which keeps their form. */
function freeInputs(where: string, xName: string, x: StepTensors): Omit<BatchTensors, 'ys'> {
  const xs = anyTensors(where, xName, x);
  if (x instanceof Tensor) return {xs, formed: (inputs) => inputs[0] as Tensor};
  if (Array.isArray(x)) return {xs, formed: (inputs) => inputs};
  const names = Object.keys(x);
  return {xs, formed: (inputs) => Object.fromEntries(names.map((name, i) => [name, inputs[i] as Tensor]))};
}

function targetsOf(where: string, yName: string, names: readonly string[] | undefined, y: StepTensors): Tensor[] {
  return names ? tensorsByName(where, yName, names, y).map(withFeatures) : anyTensors(where, yName, y);
}

/** Lists tensors of any names, in the given order. */
function anyTensors(where: string, argument: string, given: StepTensors): Tensor[] {
  const tensors = given instanceof Tensor ? [given] : Object.values(Object(given));
  if (tensors.length > 0 && tensors.every((tensor) => tensor instanceof Tensor)) return tensors;
  const remedy = 'Make tensors of arrays with tf.tensor().';
  throw typeError(where, argument, 'be a tensor, a list of tensors or a record of them', given, remedy);
}

/** Adds a feature axis to rank 1, as tfjs does. */
function withFeatures(tensor: Tensor): Tensor {
  return tensor.rank === 1 ? expandDims(tensor, 1) : tensor;
}

function fits(input: Tensor, shape: (number | null)[]): boolean {
  return (
    input.rank === shape.length &&
    shape.every((size, axis) => axis === 0 || size === null || size === input.shape[axis])
  );
}

/** A data set for a model, in the given tensors. */
export interface ModelData {
  xs: StepTensors;
  ys: Tensor[];
  /** Number of rows. */
  rows: number;
}

/** Names of the inputs and targets of a data set in errors. */
export const DATA_NAMES = {xName: 'x', yName: 'y'};

/** Checks a data set for a model. */
export function modelData(
  where: string,
  model: LayersModel,
  x: StepTensors,
  y: StepTensors,
  names: BatchNames,
): ModelData {
  return tidy(() => {
    const {xs} = modelTensors(where, model, x, y, {...DATA_NAMES, ...names});
    const {yName = DATA_NAMES.yName, targets} = names;
    const ys = targets ? tensorsByName(where, yName, targets, y) : anyTensors(where, yName, y);
    return {xs: x, ys, rows: xs[0]?.shape[0] as number};
  });
}

/** Applies `f` to each tensor. */
export function eachTensor(tensors: StepTensors, f: (tensor: Tensor) => Tensor): StepTensors {
  if (tensors instanceof Tensor) return f(tensors);
  if (Array.isArray(tensors)) return tensors.map(f);
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, f(tensor)]));
}

/**
 * A value per output of a model: one for all outputs, a list in their order, or a record by their
 * names.
 */
export type PerOutput<T> = T | T[] | Record<string, T>;

/** Lists the value of each output; undefined for one that a record omits. */
export function byOutput<T>(
  where: string,
  argument: string,
  names: readonly string[],
  given: PerOutput<T>,
): (T | undefined)[] {
  if (Array.isArray(given)) return checkedList(where, argument, names, given);
  if (isRecord<T>(given)) return byName(where, argument, names, given);
  return names.map(() => given);
}

/**
 * Lists tensors in the order of `names`, from one tensor, a list, or a record by name; none may be
 * missing.
 */
function tensorsByName(where: string, argument: string, names: readonly string[], given: PerOutput<Tensor>): Tensor[] {
  const listed = given instanceof Tensor ? [given] : given;
  const tensors = Array.isArray(listed) ? listed : byName(where, argument, names, listed ?? {});
  if (!tensors.every((tensor) => tensor instanceof Tensor)) {
    const constraint = `be a tensor, or tensors for ${names.join(', ')}`;
    throw typeError(where, argument, constraint, given, 'Make tensors of arrays with tf.tensor().');
  }
  return checkedList(where, argument, names, tensors);
}

function byName<T>(
  where: string,
  argument: string,
  names: readonly string[],
  record: Record<string, T>,
): (T | undefined)[] {
  const unknown = Object.keys(record).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw typeError(where, argument, `have the names ${names.join(', ')}`, unknown);
  return names.map((name) => record[name]);
}

function checkedList<T>(where: string, argument: string, names: readonly string[], list: T[]): T[] {
  if (list.length !== names.length) {
    throw typeError(where, argument, `have ${names.length} items (${names.join(', ')})`, `${list.length}`);
  }
  return list;
}

function isRecord<T>(given: PerOutput<T>): given is Record<string, T> {
  return typeof given === 'object' && given !== null && !(given instanceof Tensor);
}
