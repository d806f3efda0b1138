import {add, cast, less, neg, range, type Scalar, sum, type Tensor1D, tensor1d} from '@tensorflow/tfjs-core';
import {uniformFrom} from '../random';
import {takeRows} from '../rows';
import type {Selection, SelectionContext} from '../types';
import {descending, keepLargest, type RoundedKeep, rankable, reordered} from './ranking';
import type {Batch} from './selector';

/** Options of a selector that draws. */
export interface DrawOptions {
  /** Seed: the same seed and `context.step` give the same draw on every backend. Default 0. */
  seed?: number;
}

/**
 * Makes `size` random numbers: `shape` of a uniform number in (0, 1), from the seed and the step.
 *
 * Runs on the host in float64. A logarithm differs in its last bit between backends, which could
 * change the draw. Float32 also has no numbers between 1 − 6e-8 and 1, the range of the largest.
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

/** Makes Gumbel noise: the k largest log-weights plus noise are k draws without replacement. */
export function gumbelNoise(size: number, seed: number, context: SelectionContext): Tensor1D {
  return noise(size, seed, context, (uniform) => -Math.log(-Math.log(uniform)));
}

/**
 * Draws rows without replacement with chances that depend on the rank among selectable rows.
 *
 * @param logChances  maps ranks `float32[B]`, 0 = the hardest row, and the number of selectable
 *   rows to log-chances.
 */
export function drawByRank(
  {losses, rows, context}: Batch,
  keep: RoundedKeep,
  seed: number,
  logChances: (places: Tensor1D, rows: Scalar) => Tensor1D,
): Selection {
  const count = cast(sum(cast(rows, 'int32')), 'float32') as Scalar;
  const places = range(0, losses.size, 1, 'float32');
  const keys = add(logChances(places, count), gumbelNoise(losses.size, seed, context)) as Tensor1D;
  const drawn = keepLargest(rankable(keys, less(places, count)), keep, context);
  const {indices, weights} = reordered(drawn, neg(cast(drawn.indices, 'float32')));
  return {indices: takeRows(descending(rankable(losses, rows)).indices, indices), weights};
}
