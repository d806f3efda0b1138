/** @file Models given as a function of tensors and variables. */

import {expandDims, type Optimizer, Tensor, Variable} from '@tensorflow/tfjs-core';
import {type History, LayersModel} from '@tensorflow/tfjs-layers';
import {typeError} from '../checks';
import type {StepTensors} from './modelTensors';

/**
 * A network given as a function: plain variables and ops, a functional net, the features of a
 * `GraphModel` with a head.
 *
 * The trainers write the other fields, as `fit` does for a `LayersModel`.
 */
export interface FunctionModel {
  /**
   * Computes the predictions of a batch by tfjs ops: a tensor `[B, …]`. For several outputs it
   * returns a list in the order of the losses, or a record by their names. `xs` has the form of the
   * given batch.
   */
  // biome-ignore lint/suspicious/noExplicitAny: a tensor, a list or a record, whatever the caller trains on
  predict: (xs: any, training: boolean) => Tensor | Tensor[] | Record<string, Tensor>;
  /** The weights to train. */
  variables: Variable[];
  /** Set by a callback to end `fitOhem` after the current step. */
  stopTraining?: boolean;
  history?: History;
  optimizer?: Optimizer;
}

/** A trainable model: a `LayersModel`, or a function of tensors and variables. */
export type TrainableModel = LayersModel | FunctionModel;

/** Fields that a trainer writes. */
const WRITTEN = ['isTraining', 'stopTraining', 'history', 'optimizer'];

/**
 * Wraps a function in the fields that trainers read of a `LayersModel`. The result is an instance
 * of that class, because the callbacks of tfjs refuse anything else.
 *
 * @param outputNames  one name per loss; empty if one loss takes all predictions.
 */
export function asLayersModel(where: string, model: FunctionModel, outputNames: readonly string[]): LayersModel {
  checkFunction(where, model);
  const weights = () => {
    checkVariables(where, model.variables);
    return [...new Set(model.variables)].map((variable) => ({originalName: variable.name, read: () => variable}));
  };
  const constants = {
    name: 'model',
    layers: [],
    inputs: [],
    inputNames: [],
    outputNames,
    outputs: outputNames.map((name) => ({name})),
    outputLayers: [],
    apply: (xs: StepTensors, {training}: {training: boolean}) =>
      outputsOf(where, model.predict(xs, training), outputNames, rowsOf(xs)),
    calculateLosses: () => [],
  };
  return Object.create(LayersModel.prototype, {
    ...Object.fromEntries(Object.entries(constants).map(([name, value]) => [name, {value}])),
    weights: {get: weights},
    trainableWeights: {get: weights},
    ...Object.fromEntries(WRITTEN.map((name) => [name, fieldOf(model, name)])),
  }) as LayersModel;
}

function fieldOf(model: object, name: string): PropertyDescriptor {
  return {
    get: () => (model as Record<string, unknown>)[name],
    set: (value) => Object.assign(model, {[name]: value}),
  };
}

const REMEDY = 'Pass a LayersModel, or {predict: (xs, training) => predictions, variables: [tf.variable(…)]}.';

function checkFunction(where: string, model: FunctionModel): void {
  const {predict, variables} = model;
  if (Object.isFrozen(model)) throw typeError(where, 'model', 'be a writable record', 'a frozen one');
  if (typeof predict !== 'function') throw typeError(where, 'model.predict', 'be a function', predict, REMEDY);
  if (!Array.isArray(variables)) throw typeError(where, 'model.variables', 'be a list', variables, REMEDY);
  checkVariables(where, variables);
}

function checkVariables(where: string, variables: readonly Variable[]): void {
  for (const [i, variable] of variables.entries()) {
    const argument = `model.variables[${i}]`;
    if (!(variable instanceof Variable)) throw typeError(where, argument, 'be a tf.Variable', variable);
    if (variable.isDisposed) throw typeError(where, argument, 'be in use', `${variable.name}, which is disposed`);
    if (variable.trainable) continue;
    const remedy = 'Omit it to keep its values.';
    throw typeError(where, argument, 'be trainable', `${variable.name}, which is not`, remedy);
  }
}

/**
 * Lists the predictions in the order of the outputs; rank 1 gains a feature axis, as for targets.
 */
function outputsOf(where: string, predicted: unknown, names: readonly string[], rows: number): Tensor[] {
  const outputs = predicted instanceof Tensor ? [predicted] : namedOrListed(where, predicted, names);
  if (!outputs.every((output) => output instanceof Tensor)) {
    throw typeError(where, 'model.predict', 'return a tensor, a list of tensors or a record of them', predicted);
  }
  // A joint loss takes the predictions unchanged.
  if (names.length === 0) return outputs;
  if (outputs.length !== names.length) {
    const remedy = 'Pass one loss per output, loss: [a, b], or one for all outputs, jointLoss(…).';
    throw typeError(
      where,
      'model.predict',
      `return ${names.length} tensors (${names.join(', ')})`,
      `${outputs.length}`,
      remedy,
    );
  }
  const other = outputs.find(({shape}) => shape[0] !== rows);
  if (other) throw typeError(where, 'model.predict', `return ${rows} rows, one for each row of xs`, other.shape);
  return outputs.map((output) => (output.rank === 1 ? expandDims(output, 1) : output));
}

function rowsOf(xs: StepTensors): number {
  const [first] = xs instanceof Tensor ? [xs] : Object.values(xs);
  return (first as Tensor).shape[0] as number;
}

function namedOrListed(where: string, predicted: unknown, names: readonly string[]): Tensor[] {
  if (Array.isArray(predicted)) return predicted;
  const record = Object(predicted) as Record<string, Tensor>;
  if (names.length === 0) return Object.values(record);
  const missing = names.find((name) => !(name in record));
  if (missing === undefined) return names.map((name) => record[name] as Tensor);
  throw typeError(where, 'model.predict', `return a tensor for ${missing}`, predicted);
}
