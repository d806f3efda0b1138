/** @file Float32 precision of distances: rows far from the origin, and rows close to each other. */

import {
  abs,
  argMax,
  div,
  max,
  maximum,
  mul,
  reshape,
  step,
  sub,
  sum,
  type Tensor2D,
  tensor2d,
} from '@tensorflow/tfjs-core';
import {livesInMainMemory} from '../checks';
import {columnSums, gatherRows} from '../rows';

/**
 * Shifts rows, and the rows they are compared with, towards the origin if all of them are far.
 *
 * Distances do not change, but `|a|² + |b|² − 2ab` loses digits if `|a|` is much larger. The shift
 * is one of the rows, which keeps differences of round numbers exact; with the mean, equal
 * distances would differ. Rows of zeros, which may replace rows that are not finite, are ignored.
 * If both arguments are the same tensor, both results are too.
 */
export function nearOrigin(rows: Tensor2D, others: Tensor2D): [Tensor2D, Tensor2D] {
  const marks = step(max(abs(others), 1, true)) as Tensor2D;
  const mean = div(columnSums(others), maximum(sum(marks), 1));
  const deviation = max(mul(abs(sub(others, mean)), marks));
  const isFar = step(sub(max(abs(mean)), deviation));
  const first = gatherRows(others, reshape(argMax(marks, 0), [1, 1]));
  const shift = mul(first, isFar);
  const moved = sub<Tensor2D>(rows, shift);
  return [moved, rows === others ? moved : sub<Tensor2D>(others, shift)];
}

/** Share of the squared lengths below which a squared distance has lost over six of its 24 bits. */
const CLOSE = 2 ** -6;

/**
 * Recomputes the squared distances of close rows from their differences.
 *
 * Such rows are few unless the embeddings have collapsed. On a GPU, where finding them needs a
 * read, all distances stay as they are.
 */
export function withClosePairs(squared: Tensor2D, from: Tensor2D, to: Tensor2D): Tensor2D {
  if (!livesInMainMemory()) return squared;
  const [count, width] = from.shape;
  const columns = to.shape[0];
  const isSame = from === to;
  const values = squared.dataSync<'float32'>();
  const rows = from.dataSync<'float32'>();
  const others = isSame ? rows : to.dataSync<'float32'>();
  const lengths = squaresOf(rows, width);
  const ofOthers = isSame ? lengths : squaresOf(others, width);
  // Copied at the first close pair, because on cpu these are the numbers of the tensor itself.
  let anew: Float32Array | undefined;
  for (let i = 0; i < count; i++) {
    const length = lengths[i] as number;
    // For rows compared with themselves: symmetric, with 0 on the diagonal.
    for (let j = isSame ? i + 1 : 0; j < columns; j++) {
      const value = values[i * columns + j] as number;
      if (value >= CLOSE * (length + (ofOthers[j] as number))) continue;
      const exact = squaredDistance(rows, i * width, others, j * width, width);
      if (Math.fround(exact) === value) continue;
      anew ??= values.slice();
      anew[i * columns + j] = exact;
      if (isSame) anew[j * columns + i] = exact;
    }
  }
  return anew ? tensor2d(anew, squared.shape) : squared;
}

/** The squared length of each row. */
function squaresOf(values: Float32Array, width: number): Float64Array {
  const squares = new Float64Array(values.length / width);
  for (let row = 0; row < squares.length; row++) {
    let total = 0;
    for (let k = row * width; k < (row + 1) * width; k++) total += (values[k] as number) ** 2;
    squares[row] = total;
  }
  return squares;
}

/** The squared distance between the row at offset `from` and the other row at offset `to`. */
function squaredDistance(one: Float32Array, from: number, other: Float32Array, to: number, width: number): number {
  let total = 0;
  for (let k = 0; k < width; k++) {
    const difference = (one[from + k] as number) - (other[to + k] as number);
    total += difference * difference;
  }
  return total;
}
