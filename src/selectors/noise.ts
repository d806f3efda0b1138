import {add, cast, less, neg, range, type Scalar, sum, type Tensor1D, tensor1d} from '@tensorflow/tfjs-core';
import {uniformFrom} from '../random';
import {takeRows} from '../rows';
import type {Selection, SelectionContext} from '../types';
import {descending, keepLargest, type RoundedKeep, rankable, reordered} from './ranking';
import type {Batch} from './selector';

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

/**
 * Draws rows without replacement by chances that depend on the rank among the selectable rows.
 *
 * @param logChances  log-chances of places `float32[B]`, 0 = the hardest row, of so many rows.
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
