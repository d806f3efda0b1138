import type {Logs} from '@tensorflow/tfjs-layers';

/** What the batches of an epoch have summed up to so far, as plain JSON. */
export interface EpochTotals {
  /** Rows seen. */
  rows: number;
  sums: Logs;
}

export const NO_TOTALS: EpochTotals = {rows: 0, sums: {}};

/** How much a figure of a batch counts in the epoch: its rows, as in tfjs; what is a count itself is only added up. */
const weightOf = (name: string, rows: number) => (name === 'kept' ? 1 : rows);

/** Adds the figures of a batch of so many rows. */
export function addBatch({rows, sums}: EpochTotals, batchRows: number, logs: Logs): EpochTotals {
  const added = Object.entries(logs).map(([name, value]) => [
    name,
    (sums[name] ?? 0) + value * weightOf(name, batchRows),
  ]);
  return {rows: rows + batchRows, sums: Object.fromEntries(added)};
}

/** The logs of the epoch: means over its rows, and how many rows were kept. */
export function epochLogs({rows, sums}: EpochTotals): Logs {
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / weightOf(name, rows)]));
}
