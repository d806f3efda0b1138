/** @file The nearest negative beyond each positive, found on the host by one sort per anchor. */

import {argMax, mul, sub, type Tensor2D, tensor2d} from '@tensorflow/tfjs-core';
import {FAR} from './pairBatch';

interface Given {
  /** `float32[B, R]`. */
  distances: Tensor2D;
  /** `float32[B, R]`, 1 for a negative. */
  negatives: Tensor2D;
  /** `float32[B, P]`, the distance of each slot's positive. */
  ofPositives: Tensor2D;
}

/**
 * More columns than any batch has; a double still holds a float32 rank times this, plus a column.
 */
const COLUMNS = 2 ** 20;

/**
 * Finds the nearest negative that is farther than the positive of each slot, `int32[B, P]`.
 *
 * If there is none, finds the farthest negative. Ties keep the lower column.
 *
 * Sorts the negatives once per anchor and finds each slot by a search of `log R` steps. Comparing
 * all positives with all negatives would need `B · P · R` numbers, several times over.
 */
export function negativesBeyond({distances, negatives, ofPositives}: Given): Tensor2D {
  const [rows, columns] = distances.shape;
  const width = ofPositives.shape[1];
  const farthest = argMax(sub(distances, mul(sub(1, negatives), FAR)), 1).dataSync();
  const marks = negatives.dataSync();
  const order = orderOf(distances.dataSync<'float32'>());
  const bounds = orderOf(ofPositives.dataSync<'float32'>());
  const sorted = new Float64Array(columns);
  const places = new Int32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    let count = 0;
    for (let column = 0; column < columns; column++) {
      const place = row * columns + column;
      if (marks[place] !== 0) sorted[count++] = (order[place] as number) * COLUMNS + column;
    }
    const keys = sorted.subarray(0, count).sort();
    for (let slot = row * width; slot < (row + 1) * width; slot++) {
      const first = firstFrom(keys, ((bounds[slot] as number) + 1) * COLUMNS);
      places[slot] = first < count ? (keys[first] as number) % COLUMNS : (farthest[row] as number);
    }
  }
  return tensor2d(places, [rows, width], 'int32');
}

/** Maps float32 values to integers in the same order; neighbouring values get neighbouring ones. */
function orderOf(values: Float32Array): Uint32Array {
  // Adding 0 turns −0 into 0, which has other bits.
  const bits = new Uint32Array(values.map((value) => value + 0).buffer);
  return bits.map((word) => (word >>> 31 === 0 ? word + 2 ** 31 : ~word));
}

/** The index of the first key that is at least the bound. */
function firstFrom(keys: Float64Array, bound: number): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as number) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
