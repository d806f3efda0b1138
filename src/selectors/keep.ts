import {checkCount, checkOptionNames, checkRatio, typeError} from '../checks';
import type {Keep} from '../types';

/** Checks the options for the number of rows to keep. */
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

/** How many rows to keep, and how a share of them is rounded. Default `Math.round`. */
export type RoundedKeep = Keep & {round?: (share: number) => number};

/** Counts the rows to keep of `rows` valid ones. */
export function keptOf({k, ratio = 1, minK = 1, round = Math.round}: RoundedKeep, rows: number): number {
  return Math.min(k ?? Math.max(minK, round(ratio * rows)), rows);
}

/** Takes the whole part of a ratio times a count; 0.29 · 100, in float64 below 29, gives 29. */
export function wholePart(product: number): number {
  return Math.floor(product * (1 + 2 ** -40));
}
