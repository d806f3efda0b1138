import {greater, logicalAnd, logicalOr} from '@tensorflow/tfjs-core';
import {checkCount, checkFinite, checkOptionNames, checkRatio, typeError} from '../checks';
import type {Selector} from '../types';
import {wholePart} from '../wholePart';
import {asFloat, descending, firstPlaces, isRankable, ofValidRows, rankable} from './ranking';
import {selector} from './selector';

const NAME = 'aboveThreshold';

export type AboveThresholdOptions = (
  | {
      /** Keep every loss above this value; a finite number. */
      loss: number;
      probability?: never;
    }
  | {
      loss?: never;
      /** Keep every loss above `−ln(probability)`, with the probability in (0, 1]. */
      probability: number;
    }
) & {
  /** Smallest number of rows to keep, the hardest; an integer ≥ 1. Default 1. */
  minK?: number;
  /** Smallest share of the valid rows to keep, in (0, 1], rounded down. Omit for no minimum. */
  minRatio?: number;
};

/**
 * Keeps every example whose loss exceeds a threshold, and always the few hardest.
 *
 *     kept = {i : l_i > t} ∪ argsort(losses, descending)[0 … M),   t = loss  or  −ln(probability)
 *     M = max(minK, floor(minRatio · valid rows))
 *
 * The OHEM cross-entropy of semantic segmentation, with a probability of 0.7. Only the device has
 * the number of kept pixels, so `K` is `B` and a step saves no work. If any row is valid, at least
 * one is kept, so the mean is never taken over an empty set. For weighted or focal losses pass
 * `loss`.
 *
 * @param options  `loss` or `probability`, the threshold; `minK` and `minRatio`, the minimum.
 * @returns a selector, `float32[B]` → `{indices: int32[B], weights: float32[B]}`, hardest first.
 * @throws RangeError or TypeError for a wrong option; TypeError if `losses` is not `float32[B]`.
 *
 * @example
 * const wrongPixels = aboveThreshold({probability: 0.7, minRatio: 1 / 16});
 * wrongPixels(tf.tensor1d([0.1, 2.5, 0.3, 0.4])).weights.dataSync();   // Float32Array [1, 1, 0, 0]
 *
 * @see Wu, Shen & van den Hengel, 2016 (arXiv:1604.04339), the section on online bootstrapping
 */
export function aboveThreshold(options: AboveThresholdOptions): Selector {
  checkOptionNames(NAME, options, ['loss', 'probability', 'minK', 'minRatio']);
  const threshold = thresholdOf(options);
  const {minK = 1, minRatio} = options;
  checkCount(NAME, 'minK', minK);
  if (minRatio !== undefined) checkRatio(NAME, 'minRatio', minRatio);
  const atLeast = (rows: number) => Math.max(minK, wholePart((minRatio ?? 0) * rows));

  return selector(NAME, ({losses, rows, context}) => {
    const {values, indices} = descending(rankable(losses, rows));
    const first = firstPlaces(values.size, ofValidRows(values.size, context.valid, atLeast));
    const isHard = logicalOr(greater(values, threshold), first);
    return {indices, weights: asFloat(logicalAnd(isRankable(values), isHard))};
  });
}

function thresholdOf(options: AboveThresholdOptions): number {
  const {loss, probability} = options ?? {};
  if ((loss === undefined) === (probability === undefined)) {
    throw typeError(NAME, 'options', 'have either loss or probability', options, 'Pass {probability: 0.7}.');
  }
  if (probability === undefined) checkFinite(NAME, 'loss', loss as number);
  else checkRatio(NAME, 'probability', probability);
  return loss ?? -Math.log(probability as number);
}
