/** @file The miners and losses of pairs, written down plainly over lists of numbers. */
import type {DistanceOptions} from 'ohem-tfjs/pairs';
import type {Pair, Triplet} from './pairOracles';
import {plainDistances} from './pairOracles';

/** A batch in plain numbers. */
export interface PlainBatch {
  rows: number[][];
  labels: number[];
}

const others = ({labels}: PlainBatch, a: number, isSame: boolean) =>
  labels.flatMap((label, b) => (b !== a && (label === labels[a]) === isSame ? [b] : []));
/** The other rows with the label of an anchor. */
export const positivesOf = (batch: PlainBatch, a: number): number[] => others(batch, a, true);
/** The rows with another label. */
export const negativesOf = (batch: PlainBatch, a: number): number[] => others(batch, a, false);

/** All rows. */
export const anchorsOf = ({labels}: PlainBatch): number[] => labels.map((_, a) => a);

/** All triplets of an anchor. */
const tripletsOf = (batch: PlainBatch, a: number): Triplet[] => {
  const negatives = negativesOf(batch, a);
  return positivesOf(batch, a).flatMap((p) => negatives.map((n) => [a, p, n] as const));
};

/** All triplets of a batch. */
export const allTriplets = (batch: PlainBatch): Triplet[] => anchorsOf(batch).flatMap((a) => tripletsOf(batch, a));

export type At = (a: number, b: number) => number;

/** Distances of a batch, smaller is nearer. */
export function distancesOf(batch: PlainBatch, options: DistanceOptions): At {
  const distances = plainDistances(batch.rows, options);
  return (a, b) => distances[a]?.[b] as number;
}

/** The triplet that a rule of one triplet an anchor would take: the extremes, as distances. */
export function batchHardDistances(batch: PlainBatch, d: At): (readonly [number, number] | undefined)[] {
  return anchorsOf(batch).map((a) => {
    const [positives, negatives] = [positivesOf(batch, a), negativesOf(batch, a)];
    if (positives.length === 0 || negatives.length === 0) return undefined;
    return [Math.max(...positives.map((p) => d(a, p))), Math.min(...negatives.map((n) => d(a, n)))];
  });
}

/** The distances of the negatives of `semiHard`, for each pair of an anchor and a positive. */
export function semiHardDistances(batch: PlainBatch, d: At): (readonly [number, number, number])[] {
  return anchorsOf(batch).flatMap((a) =>
    positivesOf(batch, a).flatMap((p) => {
      const away = negativesOf(batch, a).map((n) => d(a, n));
      if (away.length === 0) return [];
      const beyond = away.filter((distance) => distance > d(a, p));
      return [[a, p, beyond.length > 0 ? Math.min(...beyond) : Math.max(...away)] as const];
    }),
  );
}

/** The triplets of `tripletMargin`. */
export function marginTriplets(batch: PlainBatch, d: At, margin: number, type: string): Triplet[] {
  return allTriplets(batch).filter(([a, p, n]) => {
    const gap = d(a, n) - d(a, p);
    return {all: gap <= margin, hard: gap <= 0, semihard: gap > 0 && gap <= margin, easy: gap > margin}[
      type
    ] as boolean;
  });
}

/** The pairs of `multiSimilarity`. */
export function similarPairs(batch: PlainBatch, d: At, epsilon: number): {positives: Pair[]; negatives: Pair[]} {
  const of = (f: (a: number, positives: number[], negatives: number[]) => number[]) =>
    anchorsOf(batch).flatMap((a) => {
      const [positives, negatives] = [positivesOf(batch, a), negativesOf(batch, a)];
      if (positives.length === 0 || negatives.length === 0) return [];
      return f(a, positives, negatives).map((b) => [a, b] as const);
    });
  return {
    positives: of((a, positives, negatives) => {
      const nearest = Math.min(...negatives.map((n) => d(a, n)));
      return positives.filter((p) => d(a, p) + epsilon > nearest);
    }),
    negatives: of((a, positives, negatives) => {
      const farthest = Math.max(...positives.map((p) => d(a, p)));
      return negatives.filter((n) => d(a, n) - epsilon < farthest);
    }),
  };
}

/** The mean; 0 of nothing. */
export const mean = (values: number[]) =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** The losses of all triplets of each anchor. */
export function tripletLosses(
  batch: PlainBatch,
  d: At,
  {margin, soft, swap}: {margin: number; soft: boolean; swap: boolean},
): number[] {
  const one = ([a, p, n]: Triplet) => {
    const excess = d(a, p) - Math.min(d(a, n), swap ? d(p, n) : Number.POSITIVE_INFINITY) + margin;
    return soft ? Math.max(excess, 0) + Math.log1p(Math.exp(-Math.abs(excess))) : Math.max(0, excess);
  };
  return anchorsOf(batch).map((anchor) => mean(tripletsOf(batch, anchor).map(one)));
}

/** Reduces the terms of an anchor. */
const REDUCED = {
  mean,
  meanNonZero: (terms: number[]) => mean(terms.filter((term) => term > 0)),
  sum: (terms: number[]) => terms.reduce((sum, term) => sum + term, 0),
};

/** The losses of `contrastiveLoss`, with the margins as distances. */
export function contrastiveLosses(
  batch: PlainBatch,
  d: At,
  {positive, negative}: {positive: number; negative: number},
  perAnchor: keyof typeof REDUCED,
): number[] {
  return anchorsOf(batch).map(
    (a) =>
      REDUCED[perAnchor](positivesOf(batch, a).map((p) => Math.max(0, d(a, p) - positive))) +
      REDUCED[perAnchor](negativesOf(batch, a).map((n) => Math.max(0, negative - d(a, n)))),
  );
}

/** The losses of `marginLoss` over all triplets, with the boundary as a distance. */
export function marginLosses(
  batch: PlainBatch,
  d: At,
  {border, margin}: {border: number; margin: number},
  perAnchor: keyof typeof REDUCED,
): number[] {
  return anchorsOf(batch).map((anchor) => {
    const own = tripletsOf(batch, anchor);
    const pulls = own.map(([a, p]) => Math.max(0, d(a, p) - border + margin));
    const pushes = own.map(([a, , n]) => Math.max(0, border - d(a, n) + margin));
    // A triplet is one term of a mean, but two that may be above 0.
    if (perAnchor === 'mean') return mean(pulls.map((pull, i) => pull + (pushes[i] as number)));
    return REDUCED[perAnchor]([...pulls, ...pushes]);
  });
}

/** log Σ eˣ. */
export const logSum = (values: number[]) => {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
};

/** The losses of pairs by their names, with their defaults but for the temperature. */
export const PAIR_LOSSES: Record<string, (batch: PlainBatch, d: At, temperature: number) => number[]> = {
  multiSimilarity: (batch, d) =>
    anchorsOf(batch).map((a) => {
      const pull = logSum([0, ...positivesOf(batch, a).map((p) => -2 * (-d(a, p) - 0.5))]);
      const push = logSum([0, ...negativesOf(batch, a).map((n) => 50 * (-d(a, n) - 0.5))]);
      return pull / 2 + push / 50;
    }),
  ntXent: (batch, d, temperature) =>
    anchorsOf(batch).map((a) => {
      const negatives = negativesOf(batch, a).map((n) => -d(a, n) / temperature);
      if (negatives.length === 0) return 0;
      const of = (p: number) => logSum([-d(a, p) / temperature, ...negatives]) + d(a, p) / temperature;
      return mean(positivesOf(batch, a).map(of));
    }),
  supervisedContrastive: (batch, d, temperature) =>
    anchorsOf(batch).map((a) => {
      const [positives, negatives] = [positivesOf(batch, a), negativesOf(batch, a)];
      if (positives.length === 0 || negatives.length === 0) return 0;
      const total = logSum([...positives, ...negatives].map((b) => -d(a, b) / temperature));
      return mean(positives.map((p) => total + d(a, p) / temperature));
    }),
};
