/**
 * @file Finds models that compute the same from weights and inputs in every step, except draws that
 * can be redrawn.
 */

import {randomNormal, randomUniform, serialization, type Tensor} from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {partsOf} from '../models/model';
import type {Draw} from './program';

type Part = LayersModel['layers'][number];

/** The classes of tfjs-layers by name, before other code could register its own. */
const CLASSES = {...serialization.SerializationMap.getMap().classNameMap};

/** Whether an object is of a class of tfjs-layers itself, and not of a derived one. */
export const isOfLayers = (thing: object): boolean =>
  CLASSES[(thing.constructor as {className?: string}).className ?? '']?.[0] === thing.constructor;

/** The original `call` and `apply` of each class. */
const METHODS = new Map(
  Object.entries(CLASSES).map(([name, [{prototype}]]) => {
    const {call, apply} = prototype as unknown as Record<string, unknown>;
    return [name, {call, apply}] as const;
  }),
);

/** Layers that depend only on their weights, inputs and configuration. */
const PURE = new Set(
  `Activation Add AlphaDropout Average AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization Bidirectional
  Concatenate Conv1D Conv2D Conv2DTranspose Conv3D Conv3DTranspose Cropping2D Dense DepthwiseConv2D Dot Dropout ELU Embedding
  Flatten Functional GRU GRUCell GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D
  GlobalMaxPooling2D InputLayer LSTM LSTMCell LayerNormalization LeakyReLU Masking MaxPooling1D MaxPooling2D MaxPooling3D
  Maximum Minimum Model Multiply PReLU Permute RNN ReLU RepeatVector Rescaling Reshape SeparableConv2D Sequential SimpleRNN
  SimpleRNNCell Softmax SpatialDropout1D StackedRNNCells ThresholdedReLU TimeDistributed UpSampling2D ZeroPadding2D`.split(
    /\s+/,
  ),
);

/** Fields of a layer that may hold an object with its own class. */
const HELPERS = new Set(
  `activation recurrentActivation kernelRegularizer recurrentRegularizer biasRegularizer betaRegularizer gammaRegularizer
  embeddingsRegularizer depthwiseRegularizer pointwiseRegularizer alphaRegularizer`.split(/\s+/),
);

/** Whether a model computes the same in every step. */
export function isPure(model: LayersModel): boolean {
  return [model as Part, ...partsOf(model)].every((part) => {
    const {className = ''} = part.constructor as {className?: string};
    const fields = part as unknown as Record<string, object | null | undefined>;
    const helpers = [...HELPERS].flatMap((name) => fields[name] ?? []);
    const hasOthers = fields.dropoutFunc != null || fields._callHook != null || part.stateful;
    // The loss of a regulariser appears in the source of `addWeight`. Any other was added by user
    // code.
    const hasLosses = ((fields._losses ?? []) as unknown[]).some((loss) => !`${fields.addWeight}`.includes(`${loss}`));
    if (hasOthers || hasLosses || !PURE.has(className)) return false;
    return [part, ...helpers].every(isAsItCame);
  });
}

/** Whether an object is of a class of tfjs-layers, with no method replaced. */
function isAsItCame(thing: object): boolean {
  const {call, apply} = thing as Record<string, unknown>;
  const {className = ''} = thing.constructor as {className?: string};
  const methods = METHODS.get(className);
  if (!isOfLayers(thing) || call !== methods?.call || apply !== methods?.apply) return false;
  const inherited = Object.getPrototypeOf(thing) as Record<string, unknown>;
  return Object.keys(thing).every((name) => typeof inherited[name] !== 'function');
}

/** Fields that a call leaves behind in a layer. */
const LEFT_BEHIND = new Set(['dropoutMask', 'recurrentDropoutMask', 'states_', 'keptStates']);

/** Fields of a model that determine what it computes. */
const OF_MODELS = ['layers', 'inputs', 'outputs', 'nodesByDepth', 'model'];

/** Lists a model with everything in it that `visitFields` visits. */
export const visitedParts = (model: LayersModel): Part[] => [model as Part, ...partsOf(model)];

/**
 * Visits the fields that determine what a model computes: those of its layers and their parts. The
 * same values in the same order mean equal computations, by the same parts.
 */
export function visitFields(parts: readonly Part[], visit: (value: unknown) => void): void {
  for (const part of parts) {
    const fields = part as unknown as Record<string, unknown>;
    for (const value of [part.call, part.apply, part.calculateLosses, part.computeMask, part.stateful]) visit(value);
    for (const name of 'layers' in part ? OF_MODELS : Object.keys(fields)) {
      if (LEFT_BEHIND.has(name)) continue;
      const value = fields[name];
      visit(value);
      if (Array.isArray(value)) visitItems(value, visit);
      // Such as the factors of a regulariser.
      else if (value && HELPERS.has(name)) {
        for (const factor of Object.values(value)) visit(factor);
        visit((value as Part).apply);
      }
    }
  }
}

/** Visits the items of a list, and those of the lists in it. */
function visitItems(list: readonly unknown[], visit: (value: unknown) => void, depth = 2): void {
  for (const item of list) {
    if (depth > 0 && Array.isArray(item)) visitItems(item, visit, depth - 1);
    else visit(item);
  }
}

/** Layers whose dropout draws uniform numbers from [0, 1). */
const UNIFORM = new Set(
  'AlphaDropout Dropout GRU GRUCell LSTM LSTMCell RNN SimpleRNN SimpleRNNCell SpatialDropout1D'.split(' '),
);

/** Returns how a layer draws a tensor of this shape; undefined if unknown. */
export function drawOf(layer: Part, shape: number[]): Draw | undefined {
  const {className} = layer.constructor as {className?: string};
  const {stddev = 0, rate = 0} = layer as unknown as {stddev?: number; rate?: number};
  if (className === 'GaussianNoise') return () => randomNormal(shape, 0, stddev);
  if (className === 'GaussianDropout') return () => randomNormal(shape, 1, Math.sqrt(rate / (1 - rate)));
  return UNIFORM.has(className ?? '') ? (): Tensor => randomUniform(shape) : undefined;
}
