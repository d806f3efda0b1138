/** @file An epoch: its logs, and the weights at its end if they are the best so far. */

import {tensor, tidy} from '@tensorflow/tfjs-core';
import type {LayersModel, Logs} from '@tensorflow/tfjs-layers';
import {checkOneOf, typeError} from '../../checks';
import {weightsOf} from '../../models/model';

/** What the batches of an epoch have summed up to so far, as plain JSON. */
export interface EpochTotals {
  /** Rows seen. */
  rows: number;
  /** Batches that were learned from. */
  steps: number;
  /** For each log the sum over what it is a mean of; `kept` is a sum itself. */
  sums: Logs;
  /** How many rows each sum is over. */
  counts: Logs;
}

export const noTotals = (): EpochTotals => ({rows: 0, steps: 0, sums: {}, counts: {}});

/** The figures of a batch. */
export interface BatchFigures {
  logs: Logs;
  /** How many rows each figure is the mean of: the rows that were learned from, those with a label. */
  counts: Logs;
}

/** Logs that are counts themselves, and add up. */
const SUMS = ['kept'];

/** Adds the figures of a batch to the totals. A batch without a row for a figure is left out of it. */
export function addBatch(totals: EpochTotals, batchRows: number, {logs, counts}: BatchFigures): void {
  const {sums, counts: rows} = totals;
  totals.rows += batchRows;
  if ((logs.kept as number) > 0) totals.steps++;
  for (const name in logs) {
    const count = SUMS.includes(name) ? 1 : (counts[name] ?? batchRows);
    sums[name] = (sums[name] ?? 0) + (count > 0 ? (logs[name] as number) * count : 0);
    rows[name] = (rows[name] ?? 0) + count;
  }
}

/** The logs of the epoch: means over the rows that each is about, and how many rows were kept. */
export function epochLogs({sums, counts}: EpochTotals): Logs {
  return Object.fromEntries(
    Object.entries(sums).map(([name, sum]) => [name, SUMS.includes(name) ? sum : sum / (counts[name] as number)]),
  );
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

/** Checks that the best weights of a saved run are those of this model. */
export function checkBest(where: string, model: LayersModel, best: BestWeights | undefined): void {
  if (!best) return;
  const sizes = weightsOf(model).map(({size}) => size);
  const isRight = (values: number[], i: number) => values.length === sizes[i] && values.every(Number.isFinite);
  if (best.weights.length === sizes.length && best.weights.every(isRight)) return;
  const got = `weights of sizes ${best.weights.map(({length}) => length).join(', ') || 'none'}`;
  throw typeError(where, 'best of initialState', `hold finite weights of sizes ${sizes.join(', ')}`, got);
}

/** Puts the best weights back into the model. */
export function restoreWeights(model: LayersModel, {weights}: BestWeights): void {
  tidy(() => {
    for (const [i, weight] of weightsOf(model).entries()) {
      weight.assign(tensor(weights[i] as number[], weight.shape, weight.dtype));
    }
  });
}
