/** @file Which models compute the same from weights and inputs in every step, but for draws that can be drawn anew. */

import {randomNormal, randomUniform, serialization, type Tensor} from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {partsOf} from '../models/model';
import type {Draw} from './program';

type Part = LayersModel['layers'][number];

/** The classes of tfjs-layers by name, as they were before anybody could register others. */
const CLASSES = {...serialization.SerializationMap.getMap().classNameMap};

/** Whether something is of a class of tfjs-layers itself, and not of one derived from it. */
export const isOfLayers = (thing: object): boolean =>
  CLASSES[(thing.constructor as {className?: string}).className ?? '']?.[0] === thing.constructor;

/** What the classes do when they are called, as they came. */
const METHODS = new Map(
  Object.entries(CLASSES).map(([name, [{prototype}]]) => {
    const {call, apply} = prototype as unknown as Record<string, unknown>;
    return [name, {call, apply}] as const;
  }),
);

/** Layers that depend on their weights, their inputs and what they were built with. */
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

/** What a layer may hold that has a class of its own. */
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
    // That of a regulariser is written out in the method that adds it. Any other was added by somebody.
    const hasLosses = ((fields._losses ?? []) as unknown[]).some((loss) => !`${fields.addWeight}`.includes(`${loss}`));
    if (hasOthers || hasLosses || !PURE.has(className)) return false;
    return [part, ...helpers].every(isAsItCame);
  });
}

/** Whether something is of a class of tfjs-layers, and neither it nor the class has methods of somebody else. */
function isAsItCame(thing: object): boolean {
  const {call, apply} = thing as Record<string, unknown>;
  const {className = ''} = thing.constructor as {className?: string};
  const methods = METHODS.get(className);
  if (!isOfLayers(thing) || call !== methods?.call || apply !== methods?.apply) return false;
  const inherited = Object.getPrototypeOf(thing) as Record<string, unknown>;
  return Object.keys(thing).every((name) => typeof inherited[name] !== 'function');
}

/** What a layer leaves behind in itself when it is called. */
const LEFT_BEHIND = new Set(['dropoutMask', 'recurrentDropoutMask', 'states_', 'keptStates']);

/** Of a model, only these fields tell what it computes. */
const OF_MODELS = ['layers', 'inputs', 'outputs', 'nodesByDepth', 'model'];

/**
 * Lists what a model computes by: the fields of its layers and of the things in them. Two lists that are the same
 * stand for the same computation.
 */
export function fieldsOf(model: LayersModel): unknown[] {
  const list: unknown[] = [];
  for (const part of [model as Part, ...partsOf(model)]) {
    const fields = part as unknown as Record<string, unknown>;
    list.push(part.call, part.apply, part.calculateLosses, part.computeMask, part.stateful);
    for (const name of 'layers' in part ? OF_MODELS : Object.keys(fields)) {
      const value = fields[name];
      if (LEFT_BEHIND.has(name)) continue;
      list.push(value);
      if (Array.isArray(value)) list.push(...value.flat(2));
      // Such as the factors of a regulariser.
      else if (HELPERS.has(name) && value) list.push(...Object.values(value), (value as Part).apply);
    }
  }
  return list;
}

/** Layers that drop out where a number drawn from [0, 1) is small. */
const UNIFORM = new Set(
  'AlphaDropout Dropout GRU GRUCell LSTM LSTMCell RNN SimpleRNN SimpleRNNCell SpatialDropout1D'.split(' '),
);

/** Finds how a layer draws a tensor of this shape; undefined if that is not known. */
export function drawOf(layer: Part, shape: number[]): Draw | undefined {
  const {className} = layer.constructor as {className?: string};
  const {stddev = 0, rate = 0} = layer as unknown as {stddev?: number; rate?: number};
  if (className === 'GaussianNoise') return () => randomNormal(shape, 0, stddev);
  if (className === 'GaussianDropout') return () => randomNormal(shape, 1, Math.sqrt(rate / (1 - rate)));
  return UNIFORM.has(className ?? '') ? (): Tensor => randomUniform(shape) : undefined;
}
