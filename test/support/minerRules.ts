/** @file Further miners and metrics of pairs, written down plainly over lists of numbers. */
import type {Pair, Triplet} from './pairOracles';
import {plainDistances} from './pairOracles';
import {type At, allTriplets, anchorsOf, mean, negativesOf, type PlainBatch, positivesOf} from './pairRules';

type Hardness = 'easy' | 'semihard' | 'hard';

/** Distances that a side may have, bounds included. */
export type Bounds = readonly [number, number];

const within = (value: number, [from, to]: Bounds = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) =>
  value >= from && value <= to;

const extreme = (values: number[], isLargest: boolean) =>
  values.length === 0 ? undefined : isLargest ? Math.max(...values) : Math.min(...values);

/** The distances of the positive and the negative of `batchEasyHard`, for each anchor with both. */
export function easyHardDistances(
  batch: PlainBatch,
  d: At,
  {positive, negative}: {positive: Hardness; negative: Hardness},
  ranges: {positive?: Bounds; negative?: Bounds} = {},
): (readonly [number, number, number])[] {
  return anchorsOf(batch).flatMap((a) => {
    const near = positivesOf(batch, a).map((p) => d(a, p));
    const far = negativesOf(batch, a).map((n) => d(a, n));
    const positives = near.filter((value) => within(value, ranges.positive));
    const negatives = far.filter((value) => within(value, ranges.negative));
    let dp = extreme(positives, positive === 'hard');
    let dn = extreme(negatives, negative === 'easy');
    if (dp === undefined || dn === undefined) return [];
    const [givenPositive, givenNegative] = [dp, dn];
    if (positive === 'semihard')
      dp = extreme(
        positives.filter((value) => value < givenNegative),
        true,
      );
    if (negative === 'semihard')
      dn = extreme(
        negatives.filter((value) => value > givenPositive),
        false,
      );
    return dp === undefined || dn === undefined ? [] : [[a, dp, dn] as const];
  });
}

interface Sides {
  positives: Pair[];
  negatives: Pair[];
}

/** All pairs of a batch, by a rule for each side. */
export function pairsWhere(
  batch: PlainBatch,
  isPositive: (a: number, p: number) => boolean,
  isNegative: (a: number, n: number) => boolean,
): Sides {
  const of = (others: (a: number) => number[], isTaken: typeof isPositive) =>
    anchorsOf(batch).flatMap((a) => others(a).flatMap((b) => (isTaken(a, b) ? [[a, b] as const] : [])));
  return {
    positives: of((a) => positivesOf(batch, a), isPositive),
    negatives: of((a) => negativesOf(batch, a), isNegative),
  };
}

/** The pairs of `hardestShare`: a percentage of all, and those as far as the last of them. */
export function hardestPairs(batch: PlainBatch, d: At, percent: number): Sides {
  const {positives, negatives} = pairsWhere(
    batch,
    () => true,
    () => true,
  );
  const limit = (pairs: Pair[], isLargest: boolean) => {
    const sorted = pairs.map(([a, b]) => d(a, b)).sort((one, other) => (isLargest ? other - one : one - other));
    return sorted[Math.ceil((percent * sorted.length) / 100) - 1] as number;
  };
  const [least, most] = [limit(positives, true), limit(negatives, false)];
  return pairsWhere(
    batch,
    (a, p) => d(a, p) >= least,
    (a, n) => d(a, n) <= most,
  );
}

/** The triplets of `angular`, and whether rounding may decide about one. */
export function angularTriplets(batch: PlainBatch, degrees: number) {
  const units = batch.rows.map((row) => row.map((value) => value / Math.max(Math.hypot(...row), 1e-12)));
  const apart = (a: number[], b: number[]) => Math.hypot(...a.map((value, i) => value - (b[i] as number)));
  const sidesOf = ([a, p, n]: Triplet) => {
    const [anchor, positive, negative] = [units[a], units[p], units[n]] as [number[], number[], number[]];
    const center = anchor.map((value, i) => (value + (positive[i] as number)) / 2);
    return [apart(anchor, positive), 2 * apart(negative, center)] as const;
  };
  const angleOf = (triplet: Triplet) => (Math.atan2(...sidesOf(triplet)) * 180) / Math.PI;
  const isSure = (triplet: Triplet) =>
    Math.abs(angleOf(triplet) - degrees) > 0.01 && Math.max(...sidesOf(triplet)) > 1e-3;
  return {isSure, triplets: allTriplets(batch).filter((triplet) => isSure(triplet) && angleOf(triplet) > degrees)};
}

/** The probabilities of `distanceWeighted`: of each negative of each anchor. */
export function drawProbabilities(batch: PlainBatch, cutoff: number, nonzero: number): number[][] {
  const dimensions = batch.rows[0]?.length as number;
  const distances = plainDistances(batch.rows, {});
  return anchorsOf(batch).map((a) => {
    const negatives = negativesOf(batch, a);
    const weights = anchorsOf(batch).map((n) => {
      const delta = Math.max(distances[a]?.[n] as number, cutoff);
      if (!negatives.includes(n) || delta >= nonzero) return 0;
      return delta ** (2 - dimensions) * (1 - delta ** 2 / 4) ** ((3 - dimensions) / 2);
    });
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => (total > 0 ? weight / total : 0));
  });
}

/** Averages a figure of the other rows in order, nearest first, over the rows with a positive. */
function overQueries(batch: PlainBatch, d: At, figure: (hits: boolean[], relevant: number) => number): number {
  const queries = anchorsOf(batch).filter((a) => positivesOf(batch, a).length > 0);
  return mean(
    queries.map((a) => {
      const order = anchorsOf(batch).filter((b) => b !== a);
      order.sort((b, c) => d(a, b) - d(a, c) || b - c);
      return figure(
        order.map((b) => batch.labels[b] === batch.labels[a]),
        positivesOf(batch, a).length,
      );
    }),
  );
}

/** `recallAtK`. */
export const recall = (batch: PlainBatch, d: At, k: number) =>
  overQueries(batch, d, (hits) => Number(hits.slice(0, k).includes(true)));

/** `meanAveragePrecisionAtR`. */
export const averagePrecision = (batch: PlainBatch, d: At) =>
  overQueries(batch, d, (hits, relevant) => {
    const first = hits.slice(0, relevant);
    const precisions = first.map((isHit, i) => (isHit ? first.slice(0, i + 1).filter(Boolean).length / (i + 1) : 0));
    return mean(precisions);
  });
