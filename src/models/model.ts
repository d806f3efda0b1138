/** @file A model in the form that trainers use: built, with its outputs, weights and optimizer. */

import {backend, clone, dispose, keep, type Optimizer, type Tensor, train, type Variable} from '@tensorflow/tfjs-core';
import {LayersModel, type Sequential} from '@tensorflow/tfjs-layers';
import {didYouMean, typeError} from '../checks';
import {asLayersModel, type FunctionModel, type TrainableModel} from './functionModel';
import {isJoint} from './modelLosses';
import type {StepTensors} from './modelTensors';

/**
 * Checks that a value is a model, and builds it if necessary.
 *
 * @param loss  the losses of a function's outputs: one loss, a list, or a record by name.
 */
export function readyModel(where: string, model: TrainableModel, loss?: unknown): LayersModel {
  if (isFunctionModel(model)) return asLayersModel(where, model, outputNamesOf(loss));
  try {
    // A Sequential has no output names before it is built.
    if (model.outputNames.length === 0) (model as Sequential).build();
    return model;
  } catch {
    const remedy = 'Give its first layer an inputShape, or pass a function as {predict, variables}.';
    throw typeError(where, 'model', 'be a LayersModel that can be built', model, remedy);
  }
}

/** Whether a value is a function model. */
function isFunctionModel(model: unknown): model is FunctionModel {
  if (model instanceof LayersModel || typeof model !== 'object' || model === null) return false;
  return 'predict' in model && 'variables' in model;
}

function outputNamesOf(loss: unknown): string[] {
  if (isJoint(loss)) return [];
  if (Array.isArray(loss)) return loss.map((_, output) => `output_${output + 1}`);
  return typeof loss === 'object' && loss !== null ? Object.keys(loss) : ['output'];
}

/** Runs a model forward, on inputs in the form that it takes, and lists its outputs in order. */
export function outputsOf(model: LayersModel, xs: StepTensors, training: boolean): Tensor[] {
  const outputs = model.apply(xs as Tensor | Tensor[], {training}) as Tensor | Tensor[];
  return Array.isArray(outputs) ? outputs : [outputs];
}

/** Lists the layers of a model, and those of its inner models. */
export function layersOf(model: LayersModel): LayersModel['layers'] {
  return model.layers.flatMap((layer) => ('layers' in layer ? [layer, ...layersOf(layer as LayersModel)] : [layer]));
}

/** Fields in which tfjs layers keep other layers. */
const INNER = ['layers', 'layer', 'forwardLayer', 'backwardLayer', 'cell', 'cells'];

/**
 * Lists the layers of a model with everything inside them: inner models, wrapped layers, and
 * recurrent cells.
 */
export function partsOf(model: LayersModel): LayersModel['layers'] {
  const parts = new Set<object>();
  // Each step asks: for a small model, lists of lists would take a noticeable share of it.
  const add = (part: object) => {
    if (parts.has(part)) return;
    parts.add(part);
    for (const name of INNER) {
      const inner = (part as Record<string, object | object[] | undefined>)[name];
      if (Array.isArray(inner)) inner.forEach(add);
      else if (inner) add(inner);
    }
  };
  model.layers.forEach(add);
  return [...parts] as LayersModel['layers'];
}

type Layer = LayersModel['layers'][number];

/** Runs `f`, with `around` wrapped around each call of some layers. */
export function aroundCalls<T>(
  parts: readonly Layer[],
  around: (layer: Layer, call: () => Tensor | Tensor[], inputs: Tensor | Tensor[]) => Tensor | Tensor[],
  f: () => T,
): T {
  const own = parts.map((layer) => Object.getOwnPropertyDescriptor(layer, 'call'));
  for (const layer of parts) {
    const {call} = layer;
    layer.call = function (this: Layer, ...given) {
      return around(layer, () => call.apply(this, given), given[0]);
    };
  }
  try {
    return f();
  } finally {
    for (const [i, layer] of parts.entries()) {
      if (own[i]) Object.defineProperty(layer, 'call', own[i]);
      else delete (layer as {call?: unknown}).call;
    }
  }
}

type Weights = LayersModel['trainableWeights'];

/**
 * The weights that were trainable when a model was compiled, as tfjs stores them; a `Sequential`
 * stores them in its inner model.
 */
interface Compiled {
  collectedTrainableWeights?: Weights | null;
  model?: Compiled;
}

/**
 * Returns a function that lists the weights to train now; a layer may be frozen between two steps.
 *
 * With the optimizer that the model was compiled with, these are the weights that `compile` found
 * trainable. With another optimizer, they are the weights that are trainable now. If the whole
 * model is frozen, they are those that were trainable when the step was built. A weight that is
 * frozen itself is never trained.
 *
 * Freezing a model freezes the weights of its layers, but not those of inner models. So tfjs trains
 * a discriminator that is frozen only for the model around it.
 */
export function trainedWeights(where: string, model: LayersModel, optimizer: Optimizer): () => Variable[] {
  const atFirst = model.trainableWeights;
  let hasWarned = false;
  const list = (): Weights => {
    const [now, compiled] = [model.trainableWeights, compiledWeights(model)];
    if (compiled && model.optimizer === optimizer) {
      if (!hasWarned) hasWarned = warnOfThawed(where, now, compiled);
      return compiled;
    }
    if (now.length > 0 || model.trainable !== false) return now;
    return atFirst.length > 0 ? atFirst : (compiled ?? []);
  };
  return () => {
    const variables = list().map((weight) => weight.read() as Variable);
    const trained = variables.filter(({trainable}) => trainable);
    if (trained.length > 0) return trained;
    throw typeError(where, 'model', 'have a weight to train', 'none', 'Set trainable = true on a layer.');
  };
}

function compiledWeights(model: LayersModel): Weights | undefined {
  const {model: inner, collectedTrainableWeights} = model as unknown as Compiled;
  return (inner ? inner.collectedTrainableWeights : collectedTrainableWeights) ?? undefined;
}

/** Lists the weights that a run may have trained: those trainable now, or when compiled. */
export function trainableIn(model: LayersModel): Variable[] {
  const all = new Set([...model.trainableWeights, ...(compiledWeights(model) ?? [])]);
  return [...all].map((weight) => weight.read() as Variable);
}

/** Warns about weights that are trainable now, but were not when the model was compiled. */
function warnOfThawed(where: string, now: Weights, compiled: Weights): boolean {
  const thawed = now.filter((weight) => !compiled.includes(weight));
  if (thawed.length === 0) return false;
  const names = thawed.slice(0, 3).map(({originalName}) => originalName);
  const others = thawed.length > names.length ? ', …' : '';
  const remedy = 'Compile the model again to train them.';
  console.warn(
    `${where}: ${names.join(', ')}${others} were frozen when the model was compiled, and stay frozen. ${remedy}`,
  );
  return true;
}

/**
 * Lists all weights in an order that freezing a layer does not change: `model.weights` lists
 * trainable weights first.
 */
export function weightsOf(model: LayersModel): Variable[] {
  const ofLayers = model.layers.flatMap((layer) => [...layer.weights].sort((a, b) => a.id - b.id));
  // A function has weights, but no layers.
  const weights = ofLayers.length > 0 ? ofLayers : model.weights;
  return weights.map((weight) => weight.read() as Variable);
}

/** The optimizers that `compile` accepts by name, with its defaults. */
const OPTIMIZERS = {
  sgd: () => train.sgd(0.01),
  adam: () => train.adam(0.001, 0.9, 0.999, epsilon()),
  adamax: () => train.adamax(0.002, 0.9, 0.999, epsilon(), 0),
  rmsprop: () => train.rmsprop(0.001, 0.9, 0, epsilon()),
  adagrad: () => train.adagrad(0.01),
  adadelta: () => train.adadelta(1, 0.95, epsilon()),
};

/** Name of an optimizer that `compile` accepts. */
export type OptimizerName = keyof typeof OPTIMIZERS;

/** The epsilon of tfjs-layers. */
const epsilon = () => backend().epsilon();

/** Creates the optimizer of a name, as `compile` does. */
export function optimizerNamed(where: string, name: string): Optimizer {
  const names = Object.keys(OPTIMIZERS);
  const make = (OPTIMIZERS as Record<string, () => Optimizer>)[name.toLowerCase()];
  if (make) return make();
  const remedy = didYouMean(name, names) || `Names are ${names.join(', ')}.`;
  throw typeError(where, 'optimizer', 'be an optimizer or the name of one', `'${name}'`, remedy);
}

/** Sets the model's optimizer by name; an existing one of that kind stays. */
function withOptimizer(where: string, model: LayersModel, name: string): Optimizer {
  const isThere = (model.optimizer as Optimizer | undefined)?.getClassName().toLowerCase() === name.toLowerCase();
  if (!isThere) model.optimizer = optimizerNamed(where, name);
  return model.optimizer;
}

/**
 * Finds the optimizer of a model: the given one, or the one it was compiled with. One given by name
 * becomes that of the model.
 */
export function modelOptimizer(
  where: string,
  model: LayersModel,
  given: Optimizer | string | undefined,
  remedy: string,
): Optimizer {
  const optimizer: Optimizer | undefined =
    typeof given === 'string' ? withOptimizer(where, model, given) : (given ?? model.optimizer);
  if (typeof optimizer?.applyGradients === 'function') return optimizer;
  if (typeof optimizer === 'function') {
    throw typeError(where, 'optimizer', 'be an optimizer', optimizer, 'Call it: tf.train.adam(0.001).');
  }
  throw typeError(where, 'optimizer', 'be given, or the model be compiled with one', optimizer, remedy);
}

/** A recurrent layer that keeps its state from batch to batch, seen through the fields of tfjs. */
export interface Stateful {
  states_: Tensor[] | null;
  /** States of earlier batches; a batch in training mode appends to them. */
  keptStates: Tensor[][];
}

/** Lists the recurrent layers of a model that have a state. */
export function statefulLayers(model: LayersModel): (Stateful & {states_: Tensor[]})[] {
  const stateful = partsOf(model).filter((part) => part.stateful) as unknown as Stateful[];
  return stateful.filter((layer): layer is Stateful & {states_: Tensor[]} => Boolean(layer.states_));
}

/** Runs the model in inference mode, and restores the states of its recurrent layers. */
export async function keepingStates<T>(model: LayersModel, run: () => Promise<T>): Promise<T> {
  const held = statefulLayers(model).map((layer) => ({layer, before: layer.states_}));
  // A batch in inference mode disposes the states that it starts with.
  for (const {layer, before} of held) layer.states_ = before.map((state) => keep(clone(state)));
  try {
    return await run();
  } finally {
    for (const {layer, before} of held) {
      dispose(layer.states_ ?? []);
      layer.states_ = before;
    }
  }
}

/**
 * Holds the states of recurrent layers. A batch in training mode replaces them, and keeps the
 * previous ones.
 */
export function recurrentStates(model: LayersModel) {
  const held = statefulLayers(model).map((layer: Stateful & {states_: Tensor[]}) => {
    return {layer: layer as Stateful, before: [...layer.states_], kept: layer.keptStates.length};
  });
  const moved = () => held.filter(({layer, before}) => layer.states_?.[0] !== before[0]);
  return {
    /** Replaces each changed state by the result of `choose`. */
    keepIf(choose: (after: Tensor, before: Tensor) => Tensor): void {
      for (const {layer, before} of moved()) {
        const after = layer.states_ as Tensor[];
        layer.states_ = after.map((state, i) => keep(choose(state, before[i] as Tensor)));
        dispose(after);
      }
    },
    restore() {
      for (const {layer, before, kept} of moved()) {
        dispose(layer.states_ as Tensor[]);
        layer.states_ = before;
        layer.keptStates.length = kept;
      }
    },
  };
}
