import {type Tensor1D, tensor1d} from '@tensorflow/tfjs-core';
import {uniformFrom} from '../random';
import type {SelectionContext} from '../types';

/** Options of a selector that draws. */
export interface DrawOptions {
  /** Same seed and same `context.step`, same draw, on every backend. Default 0. */
  seed?: number;
}

/**
 * Makes `size` numbers, each `shape` of a uniform number in (0, 1), from the seed and the step.
 *
 * Made on the host in float64. A logarithm differs in its last bit from backend to backend, and so
 * could a draw; and float32 has no numbers between 1 − 6e-8 and 1, where the largest of many lie.
 */
export function noise(
  size: number,
  seed: number,
  {step = 0}: SelectionContext,
  shape: (uniform: number) => number,
): Tensor1D {
  const uniform = uniformFrom(`${seed}/${step}`);
  return tensor1d(new Float32Array(size).map(() => shape(uniform())));
}

/** Makes noise for log-weights: the k largest sums are a draw of k rows without replacement. */
export function gumbelNoise(size: number, seed: number, context: SelectionContext): Tensor1D {
  return noise(size, seed, context, (uniform) => -Math.log(-Math.log(uniform)));
}
