import {logicalOr} from '@tensorflow/tfjs-core';
import {checkNotNegative, checkOptionNames, checkWhole} from '../checks';
import type {Selector} from '../types';
import {wholePart} from '../wholePart';
import {positivesByGroup} from './groups';
import {ofCounts} from './ranking';
import {selector} from './selector';

const NAME = 'hardNegatives';

export interface HardNegativesOptions {
  /** Number of negatives per positive of the group; a number ≥ 0. Default 3. */
  ratio?: number;
  /** Smallest number of negatives per group; an integer ≥ 0. Default 0. */
  minNegatives?: number;
}

/**
 * Keeps all positives and, per group, the hardest negatives in a fixed ratio to them.
 *
 *     kept = positives ∪ hardest_g(max(minNegatives, floor(ratio · positives_g)))  for each group g
 *
 * The hard negative mining of SSD, for detectors whose anchors are nearly all background.
 * `context.positive` masks the anchors that match an object, and `context.group` holds the image of
 * each anchor. Without `minNegatives`, an image without positives contributes nothing.
 *
 * SSD divides by the number of positives, not of kept rows: to match it, reduce with `'sum'` and
 * scale. `K` is `B`.
 *
 * @param options  `ratio` of negatives to usable positives; `minNegatives` per group.
 * @returns a selector, `float32[B]` → `{indices: int32[B], weights: float32[B]}`, hardest first.
 *   Positives that may not be selected do not raise the number of negatives.
 * @throws RangeError for an option out of range; TypeError if `losses` is not `float32[B]`,
 *   `context.positive` not `[B]` or `context.group` not `int32[B]`.
 *
 * @example
 * const ssd = hardNegatives({ratio: 2});
 * const losses = tf.tensor1d([0.9, 0.2, 0.8, 0.4, 0.6]);
 * const {indices, weights} = ssd(losses, {positive: tf.tensor1d([0, 1, 0, 0, 0])});
 * indices.dataSync();   // Int32Array [0, 2, 1, 4, 3]
 * weights.dataSync();   // Float32Array [1, 1, 1, 0, 0]
 *
 * @see Liu et al., SSD, ECCV 2016, §2.2, Hard negative mining (arXiv:1512.02325)
 */
export function hardNegatives(options: HardNegativesOptions = {}): Selector {
  checkOptionNames(NAME, options, ['ratio', 'minNegatives']);
  const {ratio = 3, minNegatives = 0} = options;
  checkNotNegative(NAME, 'ratio', ratio);
  checkWhole(NAME, 'minNegatives', minNegatives);
  const negativesFor = (positives: number) => Math.max(minNegatives, wholePart(ratio * positives));

  return selector(NAME, (batch) => {
    const {positives, negatives, hardest, total, keep} = positivesByGroup(NAME, batch);
    const allowed = ofCounts(total(positives), batch.losses.size, negativesFor);
    return keep(logicalOr(positives, hardest(negatives, allowed)));
  });
}
