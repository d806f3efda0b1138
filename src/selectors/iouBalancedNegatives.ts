import {
  add,
  cast,
  where as chooseEach,
  div,
  equal,
  floor,
  greater,
  greaterEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  maximum,
  minimum,
  sub,
  type Tensor1D,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {
  checkClosedUnitInterval,
  checkCount,
  checkGiven,
  checkOptionNames,
  checkRows,
  checkSeed,
  checkUnitInterval,
  checkValues,
  warnWithoutEffect,
} from '../checks';
import type {Selector} from '../types';
import {wholePart} from '../wholePart';
import {byGroup, positivesByGroup} from './groups';
import {type DrawOptions, noise} from './noise';
import {type Batch, selector} from './selector';

const NAME = 'iouBalancedNegatives';

export interface IouBalancedNegativesOptions extends DrawOptions {
  /** Number of negatives per group; an integer ≥ 1. */
  k: number;
  /** Number of overlap ranges to spread the negatives over, an integer ≥ 1. Default 3. */
  bins?: number;
  /**
   * Smallest overlap of negatives to spread, in [0, 1); at 0, all above 0. Omit to spread all
   * negatives.
   */
  floorThreshold?: number;
  /** Share of `k` to draw from below the floor, in [0, 1]. Default 0. */
  floorFraction?: number;
}

/**
 * Keeps all positives and, per group, negatives spread evenly over their overlaps.
 *
 *     spread_g: floor(k · (1 − floorFraction)) negatives at or above the floor,
 *               floor of that / bins from each of `bins` equal ranges up to the largest overlap,
 *               filled up from all ranges
 *     negatives_g = spread_g, filled up to k from below the floor, then from above it
 *
 * The sampler of Libra R-CNN. Most negatives hardly overlap an object, but the hard ones do, and a
 * uniform draw seldom picks them. `context.overlap` holds the largest IoU of each row with an
 * object, `context.positive` masks the positives, and `context.group` holds the image of each row.
 * Losses do not affect the draw.
 *
 * The last range includes its upper end; mmdetection leaves out the box with the largest overlap.
 * There the ranges end at the largest overlap of all boxes, positives included, so the last ones
 * may be empty. Here they end at the largest overlap of the negatives. `K` is `B`.
 *
 * @param options  `k` negatives per group; `bins` (default 3); `floorThreshold`;
 *   `floorFraction` (default 0); `seed`.
 * @returns a selector, `float32[B]` → `{indices: int32[B], weights: float32[B]}`, hardest first.
 * @throws RangeError for an option out of range; TypeError if `losses` is not `float32[B]`,
 *   `context.overlap` or `context.positive` not `[B]`, or `context.group` not `int32[B]`.
 *
 * @example
 * const spread = iouBalancedNegatives({k: 2, bins: 2});
 * const overlap = tf.tensor1d([0.1, 0, 0.45, 0.8]);
 * const positive = tf.tensor1d([0, 0, 0, 1]);
 * const {indices, weights} = spread(tf.tensor1d([0.2, 0.1, 0.9, 0.5]), {overlap, positive});
 * indices.dataSync().slice(0, 2);   // Int32Array [2, 3]
 * weights.dataSync();   // Float32Array [1, 1, 1, 0]
 *
 * @see Pang et al., Libra R-CNN, CVPR 2019, §3.1 (arXiv:1904.02701)
 */
export function iouBalancedNegatives(
  options: IouBalancedNegativesOptions = {} as IouBalancedNegativesOptions,
): Selector {
  checkOptionNames(NAME, options, ['k', 'bins', 'floorThreshold', 'floorFraction', 'seed']);
  const {k, bins = 3, floorThreshold, floorFraction = 0, seed = 0} = options ?? {};
  checkSeed(NAME, seed);
  checkCount(NAME, 'k', k);
  checkCount(NAME, 'bins', bins);
  if (floorThreshold !== undefined) checkUnitInterval(NAME, 'floorThreshold', floorThreshold);
  checkClosedUnitInterval(NAME, 'floorFraction', floorFraction);
  if (floorFraction > 0 && floorThreshold === undefined)
    warnWithoutEffect(NAME, 'floorFraction', 'without a floorThreshold: all negatives are spread');
  const spread = wholePart(k * (1 - floorFraction));
  return selector(NAME, (batch) => {
    const {context} = batch;
    const groups = positivesByGroup(NAME, batch);
    const overlap = overlapOf(batch);
    const random = noise(overlap.size, seed, context, (uniform) => uniform);
    /** Masks the `most` masked rows of each group with the largest keys. */
    const highest = (keys: Tensor1D, rows: Tensor1D, most: number): Tensor1D => {
      const {usable, hardest, inBatch} = byGroup(NAME, {losses: keys, rows, context});
      return greater(inBatch(cast(hardest(usable, most), 'float32')), 0);
    };
    const first = (marks: Tensor1D, keys: Tensor1D): Tensor1D => add(keys, cast(marks, 'float32'));
    const negatives: Tensor1D = greater(groups.inBatch(cast(groups.negatives, 'float32')), 0);
    const isOver = logicalAnd<Tensor1D>(negatives, overFloor(overlap, floorThreshold));
    const range = rangesOf(overlap, {...batch, rows: isOver}, {bins, from: floorThreshold ?? 0});
    const ofRanges = Array.from({length: bins}, (_, bin) =>
      highest(random, logicalAnd(isOver, equal(range, bin)), Math.floor(spread / bins)),
    );
    const evenly = ofRanges.reduce((all, next) => logicalOr(all, next));
    const chosen = highest(first(evenly, random), isOver, spread);
    const isNext = logicalOr<Tensor1D>(chosen, logicalAnd(negatives, logicalNot(isOver)));
    const kept = highest(first(chosen, first(isNext, random)), negatives, k);
    return groups.keep(logicalOr(groups.positives, logicalAnd(groups.negatives, groups.inOrder(kept))));
  });
}

/** The overlaps of the selectable rows, 0 for others. */
function overlapOf({rows, context: {overlap}}: Batch): Tensor1D {
  checkGiven(NAME, 'overlap', overlap, 'the largest IoU of each row with an object');
  checkRows(NAME, 'overlap', overlap as Tensor1D, rows.size);
  const known = cast(overlap as Tensor1D, 'float32');
  const used = chooseEach(rows, known, zerosLike(known)) as Tensor1D;
  checkValues(NAME, 'overlap', 'be from 0 to 1', used, (value) => value >= 0 && value <= 1);
  return used;
}

function overFloor(overlap: Tensor1D, threshold: number | undefined): Tensor1D {
  if (threshold === undefined) return greaterEqual(overlap, 0);
  return threshold === 0 ? greater(overlap, 0) : greaterEqual(overlap, threshold);
}

/** Computes the range index of each row's overlap, from 0, up to the largest of its group. */
function rangesOf(overlap: Tensor1D, batch: Batch, {bins, from}: {bins: number; from: number}): Tensor1D {
  const {first, inBatch} = byGroup(NAME, {...batch, losses: overlap});
  const width = div(sub(inBatch(first(overlap)), from), bins);
  return minimum(floor(div(sub(overlap, from), maximum(width, 1e-30))), bins - 1) as Tensor1D;
}
