/** @file Float32 precision of distances: of rows far from the origin, and of rows close to one another. */

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
 * Moves rows, and the rows that they are compared with, close to the origin if all of them are far.
 *
 * No distance changes, but `|a|² + |b|² − 2ab` loses its digits if `|a|` is large against it. The
 * rows are moved by one of them, which keeps differences of round numbers exact; by the mean, equal
 * distances would differ. Rows of zeros, which may stand for rows that are not finite, count as no
 * row here. The same tensor comes back twice if both are the same.
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

/** A squared distance below this share of the squared lengths has lost more than six of its 24 bits. */
const CLOSE = 2 ** -6;

/**
 * Computes the squared distances of close rows anew, from their differences.
 *
 * They are few unless all rows have collapsed into some points. On a GPU, where finding them needs a
 * read, all stay as they are.
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
  // Copied when the first close pair is found: on cpu these are the numbers of the tensor itself.
  let anew: Float32Array | undefined;
  for (let i = 0; i < count; i++) {
    const length = lengths[i] as number;
    // Rows compared with themselves: distances are symmetric, and 0 on the diagonal.
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

/** The squared distance of the row that begins at `from` and the one of the others that begins at `to`. */
function squaredDistance(one: Float32Array, from: number, other: Float32Array, to: number, width: number): number {
  let total = 0;
  for (let k = 0; k < width; k++) {
    const difference = (one[from + k] as number) - (other[to + k] as number);
    total += difference * difference;
  }
  return total;
}
