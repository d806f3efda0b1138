/** @file A model as the trainers see it: built, with its outputs, its weights and its optimizer. */

import type {Optimizer, Tensor, Variable} from '@tensorflow/tfjs-core';
import type {LayersModel, Sequential} from '@tensorflow/tfjs-layers';
import {typeError} from '../checks';

/** Checks that something is a model, and builds it if that is still to be done. */
export function readyModel(where: string, model: LayersModel): void {
  try {
    // A Sequential has no names for its outputs before something needs them.
    if (model.outputNames.length === 0) (model as Sequential).build();
  } catch {
    throw typeError(where, 'model', 'be a LayersModel that can be built', model, 'Give its first layer an inputShape.');
  }
}

/** Runs a model forward, and lists its outputs in their order. */
export function outputsOf(model: LayersModel, xs: Tensor[], training: boolean): Tensor[] {
  const outputs = model.apply(xs.length === 1 ? (xs[0] as Tensor) : xs, {training}) as Tensor | Tensor[];
  return Array.isArray(outputs) ? outputs : [outputs];
}

/** The layers of a model, and those of the models in it. */
export function layersOf(model: LayersModel): LayersModel['layers'] {
  return model.layers.flatMap((layer) => ('layers' in layer ? [layer, ...layersOf(layer as LayersModel)] : [layer]));
}

/** Where layers of tfjs keep other layers. */
const INNER = ['layers', 'layer', 'forwardLayer', 'backwardLayer', 'cell', 'cells'];

/** The layers of a model with all that is in them: those of inner models, of wrappers, and the cells of recurrent layers. */
export function partsOf(model: LayersModel): LayersModel['layers'] {
  const withInner = (layer: object): object[] => [
    layer,
    ...INNER.flatMap((name) =>
      [(layer as Record<string, object | object[] | undefined>)[name] ?? []].flat().flatMap(withInner),
    ),
  ];
  return [...new Set(model.layers.flatMap(withInner))] as LayersModel['layers'];
}

/** The weights to train now; a layer may be frozen between two steps. */
export function trainableVariables(where: string, model: LayersModel): Variable[] {
  const variables = model.trainableWeights.map((weight) => weight.read() as Variable);
  if (variables.length === 0) {
    throw typeError(where, 'model', 'have a weight to train', 'none', 'Set trainable = true on a layer.');
  }
  return variables;
}

/** All weights in an order that a frozen layer does not change: `model.weights` has those first that are trained now. */
export function weightsOf(model: LayersModel): Variable[] {
  const weights = model.layers.flatMap((layer) => [...layer.weights].sort((a, b) => a.id - b.id));
  return weights.map((weight) => weight.read() as Variable);
}

/** Finds the optimizer of a model: the given one, or the one that it was compiled with. */
export function modelOptimizer(
  where: string,
  model: LayersModel,
  given: Optimizer | undefined,
  remedy: string,
): Optimizer {
  const optimizer: Optimizer | undefined = given ?? model.optimizer;
  if (typeof optimizer?.applyGradients === 'function') return optimizer;
  throw typeError(where, 'optimizer', 'be given, or the model be compiled with one', optimizer, remedy);
}
