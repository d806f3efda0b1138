/** @file The activation of an output, and whether a loss takes what it returns. */

import type {LayersModel, SymbolicTensor} from '@tensorflow/tfjs-layers';
import {takesLogits} from '../losses/formula';

/** An activation or a layer, with the name of its class. */
type Named = {constructor: {className?: string}};

/** Returns the name of an output's activation, such as `'softmax'`; undefined if unknown. */
export function outputActivation(model: LayersModel, output: number): string | undefined {
  return layerActivation((model.outputs[output] as SymbolicTensor | undefined)?.sourceLayer);
}

/** Returns the name of a layer's activation, such as `'softmax'`; undefined if it has none. */
export function layerActivation(layer: object = {}): string | undefined {
  if ((layer as Named).constructor.className === 'Softmax') return 'softmax';
  return (layer as {activation?: Named}).activation?.constructor.className;
}

/** What an activation returns, if it can be only one of both. */
const RETURNS: Record<string, string> = {linear: 'logits', softmax: 'probabilities', sigmoid: 'probabilities'};

/** Whether the activation of an output returns logits; undefined if it may return either. */
export function logitsByActivation(model: LayersModel, output: number): boolean | undefined {
  const returns = RETURNS[outputActivation(model, output) ?? ''];
  return returns === undefined ? undefined : returns === 'logits';
}

/** What selectors know of the predictions of an output, by its loss or else its activation. */
export interface PredictionKind {
  /** Whether each value on the last axis is a label of its own; undefined if unknown. */
  binary?: boolean;
  /** Whether they are logits; undefined if unknown. */
  logits?: boolean;
}

/** Finds the kind of the predictions that a loss takes. */
export function predictionKind(loss: object, activation?: string): PredictionKind {
  const ofLoss = takesLogits(loss);
  if (ofLoss !== undefined) return {binary: 'binary' in loss, logits: ofLoss};
  // A linear output may also hold numbers, which are neither logits nor probabilities.
  return RETURNS[activation ?? ''] === 'probabilities' ? {logits: false} : {};
}

/** Models with a warning already. */
const warned = /* @__PURE__ */ new WeakSet<LayersModel>();

/** Warns once for each model if an output's activation does not return what its loss takes. */
export function warnOfActivations(where: string, model: LayersModel, losses: readonly object[]): void {
  if (warned.has(model)) return;
  const texts = model.outputs.flatMap((_, output) => warningOf(model, output, losses[output]) ?? []);
  for (const text of texts) console.warn(`${where}: ${text}`);
  if (texts.length > 0) warned.add(model);
}

function warningOf(model: LayersModel, output: number, loss: object | undefined): string | undefined {
  const [fromLogits, activation] = [loss && takesLogits(loss), outputActivation(model, output)];
  const returns = RETURNS[activation ?? ''];
  if (fromLogits === undefined || returns === undefined) return undefined;
  const takes = fromLogits ? 'logits' : 'probabilities';
  const of = `the loss of the output ${model.outputNames[output]}`;
  if (returns !== takes) {
    const remedy = `Pass {fromLogits: ${!fromLogits}} to the loss, or change the activation.`;
    return `${of} takes ${takes}, but its layer ends in ${activation}, which returns ${returns}. ${remedy}`;
  }
  if (activation !== 'softmax' || model.outputs[output]?.shape.at(-1) !== 1) return undefined;
  return `${of} takes a softmax over one unit, which is always 1: nothing can be learned. Use a sigmoid.`;
}
