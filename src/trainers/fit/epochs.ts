/** @file An epoch: its logs, and its final weights if they are the best so far. */

import {tensor, tidy} from '@tensorflow/tfjs-core';
import type {LayersModel, Logs} from '@tensorflow/tfjs-layers';
import {checkOneOf, livesInMainMemory, typeError} from '../../checks';
import {areFiniteOnHost} from '../../finite';
import {trainableIn, weightsOf} from '../../models/model';

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

/** The log that decides which epoch is best, and its sign: 1 if a smaller value is better. */
export interface Monitor {
  name: string;
  sign: 1 | -1;
}

/** Words of logs of which a larger value is better. */
const LARGER = /^(top|topk|f1|r2|map|ndcg)$|(acc|accuracy|precision|recall|auc|f1|iou|dice|score)$/;

/** Words of logs of which a smaller value is better. The `cosine` of tfjs is −1 at best. */
const SMALLER = /^(ce|cosine|proximity)$|(loss|mse|mae|mape|msle|rmse|error|distance|divergence|entropy|perplexity)$/;

/**
 * Returns the log that decides which epoch is best. Accuracy, precision, recall and the like are
 * better if larger, as in Keras; losses and errors if smaller. Warns if the name does not show it.
 */
export function monitored(
  where: string,
  restoreBestWeights: boolean | string,
  logNames: readonly string[],
): Monitor | undefined {
  if (restoreBestWeights === false) return undefined;
  const fallback = logNames.includes('val_loss') ? 'val_loss' : 'loss';
  const name = restoreBestWeights === true ? fallback : restoreBestWeights;
  checkOneOf(where, 'restoreBestWeights', name, logNames);
  // The last word counts: recallAtK, val_first_acc, but precision_loss.
  const words = name.split(/_|(?<=[a-z0-9])(?=[A-Z])/).map((part) => part.toLowerCase());
  const word = words.reverse().find((known) => LARGER.test(known) || SMALLER.test(known));
  if (word === undefined) {
    console.warn(
      `${where}: restoreBestWeights takes the epoch with the smallest ${name} as the best, because the name does not ` +
        'show the direction. If a larger value is better, end the name of the metric in accuracy, score or the like.',
    );
  }
  return {name, sign: word !== undefined && LARGER.test(word) ? -1 : 1};
}

/**
 * Whether all trainable weights are finite. True on a GPU, where it would take a read: there
 * `better` finds out.
 */
export function seemFinite(model: LayersModel): boolean {
  return !livesInMainMemory() || trainableIn(model).every(areFiniteOnHost);
}

/**
 * Returns the better of the best so far and this epoch. Weights that are not finite are never the
 * best.
 *
 * @param onOverflow  called for such weights.
 */
export async function better(
  {model, monitor: {name, sign}}: {model: LayersModel; monitor: Monitor},
  {epoch, logs, best}: {epoch: number; logs: Logs; best: BestWeights | undefined},
  onOverflow: () => void,
): Promise<BestWeights | undefined> {
  const value = logs[name] as number;
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
