/** @file Mining of one positive and one negative per anchor: hard, easy, or semi-hard. */

import {add, argMax, argMin, max, min, mul, reshape, step, sub, type Tensor2D} from '@tensorflow/tfjs-core';
import type {Triplets} from './mining';
import {FAR, type PairBatch} from './pairBatch';
import {valuesAt} from './pairMasks';

/** The kind of positive or negative to mine for an anchor. */
export type Hardness = 'hard' | 'semihard' | 'easy';

/** Mines one triplet per anchor. */
export function extremes(batch: PairBatch, positive: Hardness, negative: Hardness): Triplets {
  const {distances, positives, negatives} = batch;
  // The side that is not semi-hard is chosen first.
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

/** Finds the farthest or the nearest of the masked columns. */
function chosen(distances: Tensor2D, marks: Tensor2D, isFarthest: boolean): Chosen {
  const away = mul(sub(1, marks), FAR);
  const place = isFarthest ? argMax(sub(distances, away), 1) : argMin(add(distances, away), 1);
  const column = reshape(place, [-1, 1]) as Tensor2D;
  return {place: column, found: valuesAt(marks, column), distance: valuesAt(distances, column)};
}

/** Masks the columns that are strictly nearer than the chosen one. */
function nearer(distances: Tensor2D, marks: Tensor2D, {distance}: Chosen): Tensor2D {
  return mul(marks, step(sub(distance, distances)));
}

/** Masks the columns that are strictly farther than the chosen one. */
function farther(distances: Tensor2D, marks: Tensor2D, {distance}: Chosen): Tensor2D {
  return mul(marks, step(sub(distances, distance)));
}

/** Whether a row has any masked column, `float32[B, 1]`. */
export function anyOf(marks: Tensor2D): Tensor2D {
  return step(max(marks, 1, true)) as Tensor2D;
}

/** The smallest distance to a masked column, `float32[B, 1]`; at least FAR if there is none. */
export function nearestOf(distances: Tensor2D, marks: Tensor2D): Tensor2D {
  return min(add(distances, mul(sub(1, marks), FAR)), 1, true);
}

/** The largest distance to a masked column, `float32[B, 1]`; at most −FAR if there is none. */
export function farthestOf(distances: Tensor2D, marks: Tensor2D): Tensor2D {
  return max(sub(distances, mul(sub(1, marks), FAR)), 1, true);
}
