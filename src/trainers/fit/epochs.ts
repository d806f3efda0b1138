/** @file An epoch: its logs, and the weights at its end if they are the best so far. */

import {tensor, tidy} from '@tensorflow/tfjs-core';
import type {LayersModel, Logs} from '@tensorflow/tfjs-layers';
import {checkOneOf} from '../../checks';
import {weightsOf} from '../../models/model';

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
  const added = Object.entries(logs).map(([name, value]) => {
    return [name, (sums[name] ?? 0) + value * weightOf(name, batchRows)];
  });
  return {rows: rows + batchRows, sums: Object.fromEntries(added)};
}

/** The logs of the epoch: means over its rows, and how many rows were kept. */
export function epochLogs({rows, sums}: EpochTotals): Logs {
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / weightOf(name, rows)]));
}

/** The weights at the end of the best epoch so far, on the host: they take no memory of the device, and are saved with the training. */
export interface BestWeights {
  epoch: number;
  value: number;
  weights: number[][];
}

/** The log that tells which epoch was the best. */
export function monitored(
  where: string,
  restoreBestWeights: boolean | string,
  logNames: readonly string[],
): string | undefined {
  if (restoreBestWeights === false) return undefined;
  const fallback = logNames.includes('val_loss') ? 'val_loss' : 'loss';
  const monitor = restoreBestWeights === true ? fallback : restoreBestWeights;
  checkOneOf(where, 'restoreBestWeights', monitor, logNames);
  return monitor;
}

/** The better one of the best so far and of this epoch; an accuracy is to be large, anything else small. */
export async function better(
  monitor: string,
  model: LayersModel,
  epoch: number,
  logs: Logs,
  best: BestWeights | undefined,
): Promise<BestWeights | undefined> {
  const value = logs[monitor] as number;
  const sign = monitor.includes('acc') ? -1 : 1;
  // A value that is not a number is never better.
  if (!(sign * value < sign * (best?.value ?? sign * Number.POSITIVE_INFINITY))) return best;
  const weights = await Promise.all(weightsOf(model).map(async (weight) => Array.from(await weight.data())));
  return {epoch, value, weights};
}

/** Puts the best weights back into the model. */
export function restoreWeights(model: LayersModel, {weights}: BestWeights): void {
  tidy(() => {
    for (const [i, weight] of weightsOf(model).entries()) {
      weight.assign(tensor(weights[i] as number[], weight.shape, weight.dtype));
    }
  });
}
