import {add, cast, less, neg, range, type Scalar, sum, type Tensor1D} from '@tensorflow/tfjs-core';
import {takeRows} from '../rows';
import type {Selection} from '../types';
import {gumbelNoise} from './noise';
import {descending, keepLargest, type RoundedKeep, rankable, reordered} from './ranking';
import type {Batch} from './selector';

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
