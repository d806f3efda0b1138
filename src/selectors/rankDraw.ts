import {add, cast, gather, less, neg, range, type Scalar, sum, type Tensor1D} from '@tensorflow/tfjs-core';
import type {Selection, SelectionContext} from '../types';
import {descending} from './descending';
import {gumbelNoise} from './noise';
import {rankable, reordered, selectable} from './ranking';

/**
 * Draws rows without replacement, one after the other, each with a chance that depends on its rank among the rows that may be selected.
 * Belongs into a `tidy`.
 *
 * @param logChances  from places `float32[B]`, 0 = the hardest row, and the number of rows that may be selected: what is added to the noise.
 * @param keepLargest  keeps as many places as are to be drawn: those with the largest keys.
 */
export function drawByRank(
  where: string,
  losses: Tensor1D,
  context: SelectionContext,
  seed: number,
  logChances: (places: Tensor1D, rows: Scalar) => Tensor1D,
  keepLargest: (keys: Tensor1D) => Selection,
): Selection {
  const rows = selectable(where, losses, context);
  const count = cast(sum(cast(rows, 'int32')), 'float32') as Scalar;
  const places = range(0, losses.size, 1, 'float32');
  const keys = add(logChances(places, count), gumbelNoise(losses.size, seed, context)) as Tensor1D;
  const drawn = keepLargest(rankable(keys, less(places, count)));
  const {indices, weights} = reordered(drawn, neg(cast(drawn.indices, 'float32')));
  return {indices: gather(descending(rankable(losses, rows)).indices, indices), weights};
}
