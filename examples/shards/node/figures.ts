import type {ShardResult, Traffic} from '../training/results';

/** What a run is compared by. */
export interface RunFigures {
  how: 'one process' | 'threads' | 'network';
  shards: number;
  /** Median over the steps, of the slowest shard in each. */
  msPerStep: number;
  /** Mean bytes of a shard in a step. */
  perStep: Traffic;
  /** The fewest and the most rows that a shard kept in a step. */
  kept: [number, number];
  /** The largest difference from the weights of one process, in parts of the largest weight. */
  difference: number;
  /** Whether all shards ended with the same bits. */
  isEqual: boolean;
  accuracy: number;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const largest = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Sums up the shards of a run. */
export function figuresOf(
  how: RunFigures['how'],
  results: readonly ShardResult[],
  {weights: single}: {weights: Float32Array},
  accuracy: number,
): RunFigures {
  const [first] = results as [ShardResult];
  const steps = first.ms.length;
  const each = (name: keyof Traffic) =>
    results.reduce((total, {traffic}) => total + traffic[name], 0) / (results.length * Math.max(steps, 1));
  const weights = first.weights as Float32Array;
  const kept = results.flatMap((result) => result.kept);
  return {
    ...{how, shards: results.length, accuracy},
    msPerStep: median(first.ms.map((_, step) => Math.max(...results.map(({ms}) => ms[step] as number)))),
    perStep: {sent: each('sent'), received: each('received'), losses: each('losses')},
    kept: [Math.min(...kept), Math.max(...kept)],
    difference: largest(weights.map((weight, i) => weight - (single[i] as number))) / largest(single),
    isEqual: results.every(({fingerprint}) => fingerprint === first.fingerprint),
  };
}

const kilobytes = (bytes: number) => (bytes === 0 ? '–' : `${(bytes / 1000).toFixed(1)} kB`);

/** Draws the figures of runs as a table for a terminal. */
export function tableOf(figures: readonly RunFigures[]): string {
  const head = [
    '',
    'shards',
    'ms/step',
    'sent',
    'received',
    'of which losses',
    'kept',
    'accuracy',
    'off by',
    'shards equal',
  ];
  const rows = figures.map(({how, shards, msPerStep, perStep, kept, accuracy, difference, isEqual}) => [
    ...[how, String(shards), msPerStep.toFixed(1)],
    ...[perStep.sent, perStep.received, perStep.losses].map(kilobytes),
    ...[`${kept.join('…')}`, `${(100 * accuracy).toFixed(1)} %`, difference.toExponential(1), isEqual ? 'yes' : 'NO'],
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => (row[column] as string).length)));
  const line = (row: string[]) => row.map((cell, column) => cell.padStart(widths[column] as number)).join('  ');
  return [head, ...rows].map(line).join('\n');
}
