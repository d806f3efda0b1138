import {
  add,
  cast,
  cumsum,
  minimum,
  mul,
  pad,
  reshape,
  type Scalar,
  scalar,
  searchSorted,
  slice,
  type Tensor,
  type Tensor1D,
} from '@tensorflow/tfjs-core';
import {takeRows} from '../rows';

/** Number of rows per block. */
const BLOCK = 128;

/**
 * Draws rows with replacement in proportion to `chances` ≥ 0, one per draw in [0, 1).
 *
 * Each draw picks a block of rows, then a row of that block. A single running sum over 100,000 rows
 * would round their shares by up to 0.6 % in float32; blocks reduce this to 0.001 %.
 *
 * @returns the rows, `int32[K]`, and the sum of the chances; the rows are arbitrary if it is 0.
 */
export function drawInProportion(
  chances: Tensor1D,
  drawsOfBlocks: Tensor1D,
  drawsInBlocks: Tensor1D,
): {indices: Tensor1D; total: Scalar} {
  const blocks = Math.ceil(chances.size / BLOCK);
  const whole = pad(chances, [[0, blocks * BLOCK - chances.size]]);
  const withinBlocks = cumsum(reshape(whole, [blocks, BLOCK]), 1);
  const overBlocks = reshape(cumsum(lastOf(withinBlocks)), [1, blocks]);

  const blockOf = reshape(placesOf(overBlocks, reshape(drawsOfBlocks, [1, -1])), [-1]) as Tensor1D;
  const placeIn = reshape(placesOf(takeRows(withinBlocks, blockOf), reshape(drawsInBlocks, [-1, 1])), [-1]);
  const indices = add(mul(blockOf, scalar(BLOCK, 'int32')), placeIn);
  // If all chances are 0, the place is past the last row.
  const within = minimum(indices, scalar(chances.size - 1, 'int32'));
  return {indices: cast(within, 'int32') as Tensor1D, total: reshape(lastOf(overBlocks), []) as Scalar};
}

/** Finds, for each draw, the first running sum that exceeds the draw times the last sum. */
function placesOf(sums: Tensor, draws: Tensor): Tensor {
  const size = sums.shape[1] as number;
  const places = searchSorted(sums, mul(draws, reshape(lastOf(sums), [-1, 1])), 'right');
  return minimum(places, scalar(size - 1, 'int32'));
}

/** Takes the last number of each row. */
function lastOf(sums: Tensor): Tensor1D {
  const [rows, size] = sums.shape as [number, number];
  return reshape(slice(sums, [0, size - 1], [rows, 1]), [rows]);
}
