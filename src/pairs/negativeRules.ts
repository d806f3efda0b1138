/** @file Rules that decide which documents near a query are negatives. */

import {rangeError, typeError} from '../checks';

export interface NegativeRules {
  /** Number of negatives per query; an integer ≥ 1. Default 3. */
  count?: number;
  /** Number of the most similar remaining candidates to skip; an integer ≥ 0. Default 0. */
  rangeMin?: number;
  /** Similarity by which a negative must trail the positives; a finite number ≥ 0. */
  absoluteMargin?: number;
  /** The same margin as a share of the similarity of the positives; a finite number ≥ 0. */
  relativeMargin?: number;
  /** Largest similarity of a negative. */
  maxScore?: number;
  /** Smallest similarity of a negative. */
  minScore?: number;
}

/** Number of candidates that each rule dropped; the first matching rule counts. */
export interface Dropped {
  absoluteMargin: number;
  relativeMargin: number;
  maxScore: number;
  minScore: number;
  rangeMin: number;
}

/** The most similar documents of a query, most similar first. */
export interface QueryCandidates {
  candidates: {row: number; score: number}[];
  positives: ReadonlySet<number>;
  /** Smallest score of a positive. */
  reference: number;
}

/** Applies the rules to the candidates of a query, and counts the dropped ones. */
export function sift(
  {candidates, positives, reference}: QueryCandidates,
  {rangeMin = 0, rangeMax, absoluteMargin, relativeMargin, maxScore, minScore}: NegativeRules & {rangeMax: number},
  dropped: Dropped,
): QueryCandidates['candidates'] {
  const {POSITIVE_INFINITY: none} = Number;
  const limits = [
    ['absoluteMargin', absoluteMargin === undefined ? none : reference - absoluteMargin],
    // Absolute value: with a negative reference, a plain factor would raise the limit.
    ['relativeMargin', relativeMargin === undefined ? none : reference - relativeMargin * Math.abs(reference)],
    ['maxScore', maxScore ?? none],
  ] as const;
  const rest = candidates
    .filter(({row}) => !positives.has(row))
    .slice(0, rangeMax)
    .filter(({score}) => {
      const rule =
        limits.find(([, limit]) => score > limit)?.[0] ?? (score < (minScore ?? -none) ? 'minScore' : undefined);
      if (rule) dropped[rule]++;
      return rule === undefined;
    });
  dropped.rangeMin += Math.min(rangeMin, rest.length);
  return rest.slice(rangeMin);
}

/** Checks the positives of each query, and returns them as lists without duplicates. */
export function checkPositives(
  name: string,
  positives: ArrayLike<number | ArrayLike<number>>,
  queries: number,
  documents: number,
): number[][] {
  if (positives?.length !== queries) {
    const remedy = 'Pass one row of documents for each query, or a list of rows.';
    throw typeError(name, 'positives', `have ${queries} entries`, positives?.length ?? positives, remedy);
  }
  return Array.from(positives, (given, query) => {
    const rows = typeof given === 'number' ? [given] : [...new Set(Array.from(given ?? []))];
    const isRow = (row: number) => Number.isInteger(row) && row >= 0 && row < documents;
    if (rows.length > 0 && rows.every(isRow)) return rows;
    const constraint = `hold rows of documents, integers from 0 to ${documents - 1}`;
    const wrong = rows.find((row) => !isRow(row)) ?? 'none';
    throw rangeError(name, 'positives', constraint, `${wrong} for query ${query}`);
  });
}
