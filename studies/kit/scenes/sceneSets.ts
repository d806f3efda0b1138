import {type Tensor4D, tensor4d} from '@tensorflow/tfjs-core';
import type {Digits} from '../../../examples/mnist/data/digits';
import {LARGEST_SEED} from '../../../examples/mnist/experiment/batches';
import {seededRandom} from '../../../examples/mnist/experiment/random';
import {drawScene, type Scene, SIDE} from './scene';

/** Seed of the test scenes, which are the same for all seeds of a study; these begin at 1. */
export const TEST_SEED = 0;

/**
 * Scenes `from … from + count − 1` of an endless list that depends on the seed alone.
 *
 *     scene i is drawn by a generator seeded by (seed, i)
 *
 * @param digits  the set whose digits and fragments the scenes show.
 * @param seed  integer from 0 to 2³² − 1.
 */
export function scenesOf(digits: Digits, seed: number, from: number, count: number): Scene[] {
  return Array.from({length: count}, (_, place) =>
    drawScene(digits, seededRandom((from + place) * (LARGEST_SEED + 1) + seed)),
  );
}

/** About the mean and the standard deviation of the greys of scenes, from 0 to 1. */
const [MEAN, DEVIATION] = [0.14, 0.17];

/** Scenes as a model takes them: `float32[scenes, 96, 96, 1]`, about standardised. */
export function pixelsOf(scenes: readonly Scene[]): Tensor4D {
  const values = new Float32Array(scenes.length * SIDE * SIDE);
  for (const [place, {pixels}] of scenes.entries()) {
    const from = place * SIDE * SIDE;
    for (const [at, grey] of pixels.entries()) values[from + at] = (grey / 255 - MEAN) / DEVIATION;
  }
  return tensor4d(values, [scenes.length, SIDE, SIDE, 1]);
}
