/** @file Kernels that `enableWasmTraining` adds for what a step does beside products. */

import {engine, getBackend, getKernel, type NamedAttrMap, type Tensor} from '@tensorflow/tfjs-core';
import {isOffTape} from './engine';

/** The sum of squares of all numbers, `float32[1]`. Input: `x`. */
export const SQUARE_SUM = 'OhemSquareSum';

/**
 * Weights after a step of SGD, with the bits of the ops: `weight + rate · gradient`. Inputs:
 * `weight`, `gradient` and `rate`, which is negative.
 */
export const SGD_UPDATE = 'OhemSgdUpdate';

/**
 * The gradient of an activation, `dy · slope(y)`, with the bits of the ops. Inputs: `dy` and the
 * output `y`; attribute: the `activation`, 'Relu', 'Tanh' or 'Sigmoid'.
 */
export const ACTIVATION_GRADIENT = 'OhemActivationGradient';

/**
 * Whether a kernel may run on some tensors, which must be of floats. Not on a tape: it has no
 * gradient.
 */
export function isForWasmKernel(name: string, ...tensors: readonly Tensor[]): boolean {
  if (getBackend() !== 'wasm' || !isOffTape()) return false;
  return tensors.every(({dtype}) => dtype === 'float32') && getKernel(name, 'wasm') !== undefined;
}

export function runWasmKernel(name: string, inputs: Record<string, Tensor>, attrs?: NamedAttrMap): Tensor {
  return engine().runKernel(name, inputs, attrs) as Tensor;
}
