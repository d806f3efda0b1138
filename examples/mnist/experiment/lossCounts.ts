import {lossHistogram} from 'ohem-tfjs';

/** Bins of the histograms; they divide [0, 1], the range of ½ Σ (p − y)² over a softmax. */
export const LOSS_BINS = 25;

/**
 * Counts how many losses fall into each of `bins` even parts of [0, 1]; what lies outside counts in
 * the nearest, NaN and ±∞ nowhere.
 */
export function lossCounts(losses: ArrayLike<number>, bins = LOSS_BINS): number[] {
  const {counts, below, above} = lossHistogram(losses, {bins, min: 0, max: 1});
  counts[0] = (counts[0] as number) + below;
  counts[bins - 1] = (counts[bins - 1] as number) + above;
  return counts;
}
