/** @file The pairs that count in a pair loss, and sums of exponentials over them. */

import {
  add,
  concat,
  div,
  exp,
  expandDims,
  log,
  max,
  maximum,
  mul,
  neg,
  step,
  sub,
  sum,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import type {Pairs, Triplets} from './mining';
import {FAR, positiveSlots} from './pairBatch';
import {atColumns, countsOfTriplets, valuesAt} from './pairMasks';
import {chunksOf, rowsAt} from './tripletChunks';

/** Masks the mined pairs; each pair of a triplet counts once. */
export function pairsOf(mined: Triplets | Pairs, columns: number): Pairs {
  if (!('weights' in mined) && !mined.triplets) return mined;
  const {positives, negatives} = countsOf(mined, columns);
  return {positives: step(positives), negatives: step(negatives)};
}

/** Counts the mined triplets that contain each pair, `float32[B, R]`. */
export function countsOf(mined: Triplets | Pairs, columns: number): Pairs {
  if ('weights' in mined) return countsOfTriplets(mined, columns);
  const {positives, negatives, triplets} = mined;
  if (triplets) return countsByRule(mined, triplets);
  return {
    positives: mul(positives, sum(negatives, 1, true)),
    negatives: mul(negatives, sum(positives, 1, true)),
  };
}

function countsByRule(
  {positives, negatives}: Pairs,
  {distances, between, keeps}: NonNullable<Pairs['triplets']>,
): Pairs {
  const {columns, marks} = positiveSlots(positives);
  const width = distances.shape[1];
  const chunks = chunksOf(columns.shape[1], width, [columns, marks, negatives, distances], (tensors) => {
    const [places, ofSlots, others, near] = tensors as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
    const kept = keeps(expandDims(valuesAt(near, places), 2), expandDims(near, 1), between && rowsAt(between, places));
    const counted = mul(mul(expandDims(ofSlots, 2), expandDims(others, 1)), kept);
    return {
      positives: atColumns(places, sum(counted, 2), width),
      negatives: sum<Tensor2D>(counted, 1),
    };
  });
  const parts = [...chunks];
  const joined = (side: 'positives' | 'negatives') => concat(parts.map((part) => part[side])) as Tensor2D;
  return {positives: joined('positives'), negatives: joined('negatives')};
}

/**
 * Computes `log Σ exp(x)` over the masked columns, `float32[B, 1]`, and the share of each column.
 *
 * Without a masked column the sum is a single term `exp(−1e38)`, which avoids −∞.
 *
 * @param one  whether to add `exp(0)` to the sum.
 */
export function logSumOf(values: Tensor2D, marks: Tensor2D, one = false): {value: Tensor2D; shares: Tensor2D} {
  const masked = sub(values, mul(sub(1, marks), FAR));
  const highest = max<Tensor2D>(masked, 1, true);
  const largest = one ? maximum(highest, 0) : highest;
  const terms = mul(exp(sub(masked, largest)), marks);
  const total = add(sum(terms, 1, true), one ? exp(neg(largest)) : 0);
  const isAny = step(total);
  const safe = add(total, sub(1, isAny));
  return {value: add(largest, log(safe)) as Tensor2D, shares: div(terms, safe) as Tensor2D};
}
