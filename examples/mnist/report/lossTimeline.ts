import type {LossHistograms} from '../experiment/results';

/**
 * A cell of the timeline: what share of the rows had a loss in `[low, high)` at the steps in
 * `(from, to]`.
 */
export interface LossCell {
  from: number;
  to: number;
  low: number;
  high: number;
  share: number;
}

/**
 * The histograms of a run as cells of steps × losses, empty ones left out.
 *
 * More than `slots` snapshots are added up in groups that follow each other, more than `bins` bins
 * with their neighbours. A cell reaches back to the snapshot before it, the first one to the start
 * of the training run.
 */
export function lossTimeline(
  histograms: LossHistograms[],
  rows: 'batch' | 'selected',
  {slots, bins}: {slots: number; bins: number},
): LossCell[] {
  const groups = grouped(histograms, slots);
  return groups.flatMap((group, index) => {
    const to = lastStep(group);
    const before = groups[index - 1];
    const from = before ? lastStep(before) : Math.min(0, to - 1);
    return shares(
      group.map((snapshot) => snapshot[rows]),
      bins,
    ).map((cell) => ({from, to, ...cell}));
  });
}

const lastStep = (group: LossHistograms[]) => group.at(-1)?.step ?? 0;

/** The shares of the rows of several histograms together, in no more than `most` bins. */
function shares(histograms: number[][], most: number): {low: number; high: number; share: number}[] {
  const bins = Math.max(0, ...histograms.map(({length}) => length));
  const merged = Math.ceil(bins / most);
  const counts = new Array<number>(Math.ceil(bins / Math.max(1, merged))).fill(0);
  for (const histogram of histograms) {
    histogram.forEach((count, bin) => {
      const cell = Math.floor(bin / merged);
      counts[cell] = (counts[cell] ?? 0) + count;
    });
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts
    .map((count, cell) => ({
      low: (cell * merged) / bins,
      high: Math.min(1, ((cell + 1) * merged) / bins),
      share: count / total,
    }))
    .filter(({share}) => share > 0);
}

/**
 * In groups of one size, so that equal stretches of the training look equally wide; only the last
 * may be smaller.
 */
function grouped<T>(items: T[], most: number): T[][] {
  const size = Math.max(1, Math.ceil(items.length / most));
  return Array.from({length: Math.ceil(items.length / size)}, (_, group) =>
    items.slice(group * size, (group + 1) * size),
  );
}
