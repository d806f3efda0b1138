/** Bins of the histograms; they divide [0, 1], the range of ½ Σ (p − y)² over a softmax. */
export const LOSS_BINS = 25;

/** Counts how many losses fall into each of `bins` even parts of [0, 1]; what lies outside counts in the nearest, NaN nowhere. */
export function lossCounts(losses: Iterable<number>, bins = LOSS_BINS): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (const loss of losses) {
    if (Number.isNaN(loss)) continue;
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(loss * bins)));
    counts[bin] = (counts[bin] as number) + 1;
  }
  return counts;
}
