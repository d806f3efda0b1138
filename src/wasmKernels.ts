/** @file Kernels that `enableWasmTraining` adds for what a step does beside its model. */

import {engine, getBackend, getKernel, type Tensor} from '@tensorflow/tfjs-core';
import {isOffTape} from './engine';

/** The sum of squares of all numbers, `float32[1]`. Input: `x`. */
export const SQUARE_SUM = 'OhemSquareSum';

/**
 * Weights after a step of SGD, with the bits of the ops: `weight + rate · gradient`. Inputs:
 * `weight`, `gradient` and `rate`, which is negative.
 */
export const SGD_UPDATE = 'OhemSgdUpdate';

/** Size of tensors from which a kernel is faster than the host, and than several small kernels. */
const FEWEST = 8192;

/**
 * Whether a kernel is to run on tensors of one size, which must be of floats. Not on a tape: it has
 * no gradient.
 */
export function isForWasmKernel(name: string, ...tensors: readonly Tensor[]): boolean {
  if (getBackend() !== 'wasm' || !isOffTape()) return false;
  const areLarge = tensors.every(({dtype, size}) => dtype === 'float32' && size >= FEWEST);
  return areLarge && getKernel(name, 'wasm') !== undefined;
}

export function runWasmKernel(name: string, inputs: Record<string, Tensor>): Tensor {
  return engine().runKernel(name, inputs) as Tensor;
}
