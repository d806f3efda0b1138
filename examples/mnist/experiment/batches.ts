import {type Tensor2D, tensor2d} from '@tensorflow/tfjs-core';
import {CLASSES, type Digits, IMAGE_SIZE} from '../data/digits';
import {seededRandom, shuffledIndices} from './random';

/** Largest seed; the generator takes 53 bits, and the epoch gets the other 21. */
export const LARGEST_SEED = 2 ** 32 - 1;

/** An endless stream of rows of a training set, which any number of runs can read at any place. */
export interface RowStream {
  /** The rows at `position … position + length − 1` of the stream. */
  rowsAt(position: number, length: number): Uint32Array;
}

/**
 * Puts the rows of a training set in an endless order: every epoch holds each row once, in an order
 * of its own.
 *
 *     order of epoch e = shuffle(0 … count − 1) seeded by (seed, e)
 *
 * The position is the whole state: a run that is resumed reads on where it was, and runs with
 * different n read the same rows in the same order.
 *
 * @param count  how many rows there are; integer ≥ 1.
 * @param seed  integer from 0 to 2³² − 1.
 */
export function rowStream(count: number, seed: number): RowStream {
  let epoch = -1;
  let order = new Uint32Array();
  const orderOf = (wanted: number) => {
    if (wanted !== epoch) {
      order = shuffledIndices(count, seededRandom((wanted + 1) * (LARGEST_SEED + 1) + seed)) as typeof order;
      epoch = wanted;
    }
    return order;
  };
  return {
    rowsAt(position, length) {
      const rows = new Uint32Array(length);
      for (let done = 0; done < length; ) {
        const start = (position + done) % count;
        const stretch = orderOf(Math.floor((position + done) / count)).subarray(start, start + length - done);
        rows.set(stretch, done);
        done += stretch.length;
      }
      return rows;
    },
  };
}

/**
 * Images of some rows as a model takes them: `float32[rows, 784]`, 0 = background, 1 = full ink.
 */
export function imagesOf({images}: Digits, rows: ArrayLike<number>): Tensor2D {
  const pixels = new Float32Array(rows.length * IMAGE_SIZE);
  for (let place = 0; place < rows.length; place++) {
    const from = (rows[place] as number) * IMAGE_SIZE;
    const to = place * IMAGE_SIZE;
    for (let pixel = 0; pixel < IMAGE_SIZE; pixel++) pixels[to + pixel] = (images[from + pixel] as number) / 255;
  }
  return tensor2d(pixels, [rows.length, IMAGE_SIZE]);
}

/** Labels of some rows as one-hot vectors, `float32[rows, 10]`. */
export function labelsOf({labels}: Digits, rows: ArrayLike<number>): Tensor2D {
  const targets = new Float32Array(rows.length * CLASSES);
  for (let place = 0; place < rows.length; place++) {
    targets[place * CLASSES + (labels[rows[place] as number] as number)] = 1;
  }
  return tensor2d(targets, [rows.length, CLASSES]);
}
