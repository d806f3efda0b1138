import {logicalOr} from '@tensorflow/tfjs-core';
import {checkCount, checkNotNegative, checkOptionNames, checkRatio} from '../checks';
import type {Selector} from '../types';
import {wholePart} from '../wholePart';
import {positivesByGroup} from './groups';
import {ofCounts} from './ranking';
import {selector} from './selector';

const NAME = 'positiveNegativeQuota';

export interface PositiveNegativeQuotaOptions {
  /** Number of rows per group; an integer ≥ 1. */
  k: number;
  /** Largest share of positives among these rows, in (0, 1]. */
  positiveFraction: number;
  /** Largest number of negatives per kept positive (or for none), ≥ 0. Omit for no limit. */
  maxNegativesPerPositive?: number;
}

/**
 * Keeps a quota of the hardest positives per group, and fills up with its hardest negatives.
 *
 *     positives_g = the hardest floor(k · positiveFraction) of group g, or fewer
 *     negatives_g = the hardest min(k − |positives_g|,
 *                                   floor(maxNegativesPerPositive · max(1, |positives_g|)))
 *
 * The sampler of two-stage detectors, with hard rows instead of random ones: `k` rows per image
 * (`context.group`), at most 25 % or 50 % of them positives (`context.positive`). Negatives fill
 * the slots of missing positives, never the reverse. `K` is `B`.
 *
 * @param options  `k` rows per group; `positiveFraction`; `maxNegativesPerPositive`.
 * @returns a selector, `float32[B]` → `{indices: int32[B], weights: float32[B]}`, hardest first.
 *   Positives that may not be selected take up no part of the quota.
 * @throws RangeError for an option out of range; TypeError if `losses` is not `float32[B]`,
 *   `context.positive` not `[B]` or `context.group` not `int32[B]`.
 *
 * @example
 * const quota = positiveNegativeQuota({k: 3, positiveFraction: 0.5});
 * const losses = tf.tensor1d([0.9, 0.2, 0.8, 0.4, 0.6]);
 * const {indices, weights} = quota(losses, {positive: tf.tensor1d([1, 1, 1, 0, 0])});
 * indices.dataSync();   // Int32Array [0, 4, 3, 2, 1]
 * weights.dataSync();   // Float32Array [1, 1, 1, 0, 0]
 *
 * @see Ren et al., Faster R-CNN, NeurIPS 2015, §3.1.3 (arXiv:1506.01497)
 */
export function positiveNegativeQuota(options: PositiveNegativeQuotaOptions): Selector {
  checkOptionNames(NAME, options, ['k', 'positiveFraction', 'maxNegativesPerPositive']);
  const {k, positiveFraction, maxNegativesPerPositive} = options ?? {};
  checkCount(NAME, 'k', k);
  checkRatio(NAME, 'positiveFraction', positiveFraction);
  if (maxNegativesPerPositive !== undefined) checkNotNegative(NAME, 'maxNegativesPerPositive', maxNegativesPerPositive);
  const mostPositives = wholePart(k * positiveFraction);
  const negativesFor = (positives: number) => {
    const free = k - positives;
    if (maxNegativesPerPositive === undefined) return free;
    return Math.min(free, wholePart(maxNegativesPerPositive * Math.max(1, positives)));
  };

  return selector(NAME, (batch) => {
    const {positives, negatives, hardest, total, keep} = positivesByGroup(NAME, batch);
    const kept = hardest(positives, mostPositives);
    const allowed = ofCounts(total(kept), batch.losses.size, negativesFor);
    return keep(logicalOr(kept, hardest(negatives, allowed)));
  });
}
