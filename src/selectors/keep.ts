import {checkCount, checkOptionNames, checkRatio, typeError} from '../checks';
import type {Keep} from '../types';

/** Checks, when a selector is built, how many rows it is to keep. */
export function checkKeep(where: string, keep: Keep, others: readonly string[] = []): void {
  const options = (keep ?? {}) as {k?: number; ratio?: number; minK?: number};
  checkOptionNames(where, options, ['k', 'ratio', 'minK', ...others]);
  if ((options.k === undefined) === (options.ratio === undefined)) {
    throw typeError(where, 'options', 'have either k or ratio', keep, 'Pass {k: 32} or {ratio: 0.75}.');
  }
  if (options.k !== undefined) checkCount(where, 'k', options.k);
  if (options.ratio !== undefined) checkRatio(where, 'ratio', options.ratio);
  if (options.minK !== undefined) {
    if (options.k !== undefined) throw typeError(where, 'minK', 'go with ratio', keep, 'A fixed k needs no minimum.');
    checkCount(where, 'minK', options.minK);
  }
}

/** Counts the rows to keep of a batch of `batchSize`: `min(k, B)`, or `max(minK, round(ratio · B))`, never more than `B`. */
export function keptOf(keep: Keep, batchSize: number): number {
  const kept = keep.k === undefined ? shareOf(keep, batchSize) : keep.k;
  return Math.min(kept, batchSize);
}

/** Counts the rows that a ratio keeps of so many valid ones. */
export function shareOf({ratio, minK = 1}: {ratio: number; minK?: number}, rows: number): number {
  return Math.max(minK, Math.round(ratio * rows));
}

/**
 * The whole part of a ratio times a count. 0.29 · 100 is 28.999999999999996 in float64 and 29 here: what is that close to a whole number is it.
 */
export function wholePart(product: number): number {
  return Math.floor(product * (1 + 2 ** -40));
}
