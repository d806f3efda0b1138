import type {Curves} from '../protocol';

/**
 * Columns as uPlot takes them: the steps, then the values of each run, `null` where a run has none.
 */
export type Columns = [number[], ...(number | null)[][]];

/** The losses of the runs at every step. */
export function lossColumns(runs: readonly Pick<Curves, 'selectedLoss'>[]): Columns {
  const steps = Math.max(0, ...runs.map(({selectedLoss}) => selectedLoss.length));
  const values = runs.map(({selectedLoss}) => Array.from({length: steps}, (_, step) => selectedLoss[step] ?? null));
  return [Array.from({length: steps}, (_, step) => step + 1), ...values];
}

/** The accuracies of the runs at every step at which one was measured. */
export function accuracyColumns(runs: readonly Pick<Curves, 'testAccuracy'>[]): Columns {
  const measured = runs.map(({testAccuracy}) => new Map(testAccuracy.map(({step, accuracy}) => [step, accuracy])));
  const steps = [...new Set(measured.flatMap((accuracies) => [...accuracies.keys()]))].sort((a, b) => a - b);
  return [steps, ...measured.map((accuracies) => steps.map((step) => accuracies.get(step) ?? null))];
}

/**
 * How far the axis of the steps reaches: a round number that the curves have not passed yet, so
 * that it changes seldom.
 */
export function stepExtent(step: number, steps: number): number {
  const round = [20, 50, 100, 200, 300, 500, 1000, 2000, 3000, 5000, 10_000].find((number) => number >= step);
  return Math.min(round ?? steps, steps);
}
