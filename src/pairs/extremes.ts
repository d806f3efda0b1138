/** @file One positive and one negative of each anchor: the hardest, the easiest, or the nearest to the other one. */

import {add, argMax, argMin, max, min, mul, reshape, step, sub, type Tensor2D} from '@tensorflow/tfjs-core';
import type {Triplets} from './mining';
import {FAR, type PairBatch} from './pairBatch';
import {valuesAt} from './pairMasks';

/** Which of the positives or negatives of an anchor is taken. */
export type Hardness = 'hard' | 'semihard' | 'easy';

/** Takes one triplet an anchor. */
export function extremes(batch: PairBatch, positive: Hardness, negative: Hardness): Triplets {
  const {distances, positives, negatives} = batch;
  // The one that is not semihard is chosen first.
  const givenPositive = positive === 'semihard' ? undefined : chosen(distances, positives, positive === 'hard');
  const givenNegative = negative === 'semihard' ? undefined : chosen(distances, negatives, negative === 'easy');
  const ofPositive = givenPositive ?? chosen(distances, nearer(distances, positives, givenNegative as Chosen), true);
  const ofNegative = givenNegative ?? chosen(distances, farther(distances, negatives, givenPositive as Chosen), false);
  return {positive: ofPositive.place, negative: ofNegative.place, weights: mul(ofPositive.found, ofNegative.found)};
}

interface Chosen {
  /** `int32[B, 1]`. */
  place: Tensor2D;
  /** `float32[B, 1]`, 1 if there is one. */
  found: Tensor2D;
  /** `float32[B, 1]`. */
  distance: Tensor2D;
}

/** Takes the farthest or the nearest of the marked columns. */
function chosen(distances: Tensor2D, marks: Tensor2D, isFarthest: boolean): Chosen {
  const away = mul(sub(1, marks), FAR);
  const place = isFarthest ? argMax(sub(distances, away), 1) : argMin(add(distances, away), 1);
  const column = reshape(place, [-1, 1]) as Tensor2D;
  return {place: column, found: valuesAt(marks, column), distance: valuesAt(distances, column)};
}

/** Marks the columns that are strictly nearer than the chosen one. */
function nearer(distances: Tensor2D, marks: Tensor2D, {distance}: Chosen): Tensor2D {
  return mul(marks, step(sub(distance, distances)));
}

/** Marks the columns that are strictly farther than the chosen one. */
function farther(distances: Tensor2D, marks: Tensor2D, {distance}: Chosen): Tensor2D {
  return mul(marks, step(sub(distances, distance)));
}

/** Whether there is any marked column, `float32[B, 1]`. */
export function anyOf(marks: Tensor2D): Tensor2D {
  return step(max(marks, 1, true)) as Tensor2D;
}

/** The smallest distance to a marked column, `float32[B, 1]`; FAR and more if there is none. */
export function nearestOf(distances: Tensor2D, marks: Tensor2D): Tensor2D {
  return min(add(distances, mul(sub(1, marks), FAR)), 1, true);
}

/** The largest distance to a marked column, `float32[B, 1]`; −FAR and less if there is none. */
export function farthestOf(distances: Tensor2D, marks: Tensor2D): Tensor2D {
  return max(sub(distances, mul(sub(1, marks), FAR)), 1, true);
}
