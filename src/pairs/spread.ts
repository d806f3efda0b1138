/** @file Mean distance between the rows of a batch. */

import {add, div, maximum, mul, type Scalar, sum} from '@tensorflow/tfjs-core';
import type {Space} from './distances';
import {type LabelledRows, pairBatch} from './pairBatch';

/** Computes the mean distance, or similarity, over all pairs of finite, labelled rows. */
export function spreadOf(name: string, space: Space, rows: LabelledRows): Scalar {
  const {distances, positives, negatives} = pairBatch(name, space, rows);
  const isPair = add(positives, negatives);
  const total = sum(mul(distances, mul(isPair, space.isSimilarity ? -1 : 1)));
  return div(total, maximum(sum(isPair), 1)) as Scalar;
}
