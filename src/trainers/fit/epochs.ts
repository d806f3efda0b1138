/** @file An epoch: its logs, and its final weights if they are the best so far. */

import {tensor, tidy} from '@tensorflow/tfjs-core';
import type {LayersModel, Logs} from '@tensorflow/tfjs-layers';
import {checkOneOf, livesInMainMemory, typeError} from '../../checks';
import {trainableIn, weightsOf} from '../../models/model';
import {hasFiniteSum} from '../../rows';

/** Sums over the batches of an epoch so far, as plain JSON. */
export interface EpochTotals {
  /** Rows seen. */
  rows: number;
  /** Updates of the weights. */
  steps: number;
  /** For each log, the sum whose mean it is; `kept` is a sum itself. */
  sums: Logs;
  /** Number of rows in each sum. */
  counts: Logs;
}

export const noTotals = (): EpochTotals => ({rows: 0, steps: 0, sums: {}, counts: {}});

/** The logs of one batch. */
export interface BatchFigures {
  logs: Logs;
  /** Number of rows that each log is the mean of: the rows trained on, or those with a label. */
  counts: Logs;
  /** Whether the weights were updated. */
  isUpdated: boolean;
}

/** Logs that are counts, which are summed instead of averaged. */
const SUMS = ['kept'];

/** Adds the logs of a batch to the totals. A log with a count of 0 rows adds nothing. */
export function addBatch(totals: EpochTotals, batchRows: number, {logs, counts, isUpdated}: BatchFigures): void {
  const {sums, counts: rows} = totals;
  totals.rows += batchRows;
  if (isUpdated) totals.steps++;
  for (const name in logs) {
    const count = SUMS.includes(name) ? 1 : (counts[name] ?? batchRows);
    sums[name] = (sums[name] ?? 0) + (count > 0 ? (logs[name] as number) * count : 0);
    rows[name] = (rows[name] ?? 0) + count;
  }
}

/** Computes the logs of the epoch: means over their rows, and the sum of `kept`. */
export function epochLogs({sums, counts}: EpochTotals): Logs {
  return Object.fromEntries(
    Object.entries(sums).map(([name, sum]) => [name, SUMS.includes(name) ? sum : sum / (counts[name] as number)]),
  );
}

/**
 * Weights at the end of the best epoch so far. They are on the host: they use no device memory, and
 * are saved with the training run.
 */
export interface BestWeights {
  epoch: number;
  value: number;
  weights: number[][];
}

/** Returns the log that decides which epoch is best. */
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

/**
 * Whether all trainable weights are finite. True on a GPU, where it would take a read: there
 * `better` finds out.
 */
export function seemFinite(model: LayersModel): boolean {
  return !livesInMainMemory() || trainableIn(model).every(hasFiniteSum);
}

/**
 * Returns the better of the best so far and this epoch. A larger accuracy is better; of any other
 * log a smaller value. Weights that are not finite are never the best.
 *
 * @param onOverflow  called for such weights.
 */
export async function better(
  {model, monitor}: {model: LayersModel; monitor: string},
  {epoch, logs, best}: {epoch: number; logs: Logs; best: BestWeights | undefined},
  onOverflow: () => void,
): Promise<BestWeights | undefined> {
  const value = logs[monitor] as number;
  const sign = monitor.includes('acc') ? -1 : 1;
  // NaN is never better.
  if (!(sign * value < sign * (best?.value ?? sign * Number.POSITIVE_INFINITY))) return best;
  const weights = await Promise.all(weightsOf(model).map(async (weight) => Array.from(await weight.data())));
  if (weights.every(soundnessOf(model))) return {epoch, value, weights};
  onOverflow();
  return best;
}

/** Builds a check of the values of a weight: finite, or constant. */
function soundnessOf(model: LayersModel): (values: number[], weight: number) => boolean {
  const trainable = new Set(trainableIn(model));
  const isConstant = weightsOf(model).map((weight) => !trainable.has(weight));
  return (values, weight) => isConstant[weight] === true || values.every(Number.isFinite);
}

/** Checks that the saved best weights fit this model. */
export function checkBest(where: string, model: LayersModel, best: BestWeights | undefined): void {
  if (!best) return;
  const sizes = weightsOf(model).map(({size}) => size);
  const isSound = soundnessOf(model);
  const isRight = (values: number[], i: number) => values.length === sizes[i] && isSound(values, i);
  if (best.weights.length === sizes.length && best.weights.every(isRight)) return;
  const got = `weights of sizes ${best.weights.map(({length}) => length).join(', ') || 'none'}`;
  throw typeError(where, 'best of initialState', `hold finite weights of sizes ${sizes.join(', ')}`, got);
}

/** Restores the best weights into the model. */
export function restoreWeights(model: LayersModel, {weights}: BestWeights): void {
  tidy(() => {
    for (const [i, weight] of weightsOf(model).entries()) {
      weight.assign(tensor(weights[i] as number[], weight.shape, weight.dtype));
    }
  });
}
