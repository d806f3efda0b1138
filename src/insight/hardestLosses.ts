import {cast, maximum, mul, notEqual, type Tensor, type Tensor1D, tidy} from '@tensorflow/tfjs-core';
import {checkCount, checkRows, checkWhole, givenOptions, type Nullable} from '../checks';
import type {TrainableModel} from '../models/functionModel';
import {modelFingerprint} from '../models/modelFingerprint';
import {countedOutputs, validRows} from '../models/modelLosses';
import type {StepTensors} from '../models/modelTensors';
import {SHARDS_VERSION} from '../shards';
import type {ShardLosses} from '../types';
import {largestFirst} from './largestFirst';
import {type PerSampleLossesOptions, SCORING_OPTIONS, type Scoring, scoreRows, scoring} from './perSampleLosses';

const NAME = 'hardestLosses';

export interface HardestLossesOptions extends PerSampleLossesOptions {
  /** Number of rows that all shards keep together; an integer ≥ 1. */
  k: number;
  /** Index of this shard among all shards, from 0. */
  shard: number;
  /** Step of these losses, from 0; all shards must be at the same step. */
  step: number;
  /** `[N]`, 0 = never kept. Omit if all rows may be kept. */
  valid?: Tensor1D;
}

/** The largest losses of a shard, and their rows. */
export interface HardestLosses extends ShardLosses {
  /** Rows of these losses, in the same order. Only this shard reads them. */
  indices: Int32Array;
}

/**
 * Finds the `k` largest losses of a shard, as plain data to exchange with other shards.
 *
 *     losses = sort(l, descending)[0 … min(k, N)),    l = perSampleLosses(model, x, y)
 *
 * The first phase of a top k over shards without shared memory, on any backend: only the promise
 * waits. {@link thresholdOf} then finds the rows to train on.
 *
 * As in `backward: 'recompute'`, rows are scored in inference mode, and kept rows run forward a
 * second time. Sample and class weights do not affect the ranking. Rows that are not finite, not
 * `valid`, or without a label that counts are left out.
 *
 * @param model  a `LayersModel`, or a function `{predict, variables}`; it is not changed.
 * @param x  inputs of the shard, as for `ohemStep`; the caller keeps them. A shard without rows
 *   passes `[0, …]`, and gets no losses.
 * @param y  targets in the same form.
 * @param options  `k`, `shard` and `step`; `valid`; and `loss`, `lossWeights` and `batchSize` of
 *   {@link perSampleLosses}.
 * @returns a promise of {@link HardestLosses}: at most `k` losses, largest first, ties in the order
 *   of the rows, with their rows in `indices`.
 * @throws TypeError or RangeError (as a rejection, before anything is computed) if an option is
 *   wrong, and the errors of {@link perSampleLosses}.
 *
 * @example
 * const model = tf.sequential({layers: [tf.layers.dense({units: 1, kernelInitializer: 'ones',
 * inputShape: [1]})]});
 * const [x, y] = [tf.tensor2d([[1], [2], [3]]), tf.tensor2d([[1], [0], [2]])];
 * const mine = await hardestLosses(model, x, y, {k: 2, shard: 0, step: 0, loss:
 * 'meanSquaredError'});
 * mine.losses;   // Float32Array [4, 1]
 * thresholdOf([mine], {k: 2, shards: 1}).counts;   // [2]
 * mine.indices;   // Int32Array [1, 2]
 */
export async function hardestLosses(
  model: TrainableModel,
  x: StepTensors,
  y: StepTensors,
  options: Nullable<HardestLossesOptions>,
): Promise<HardestLosses> {
  const names = ['k', 'shard', 'step', 'valid', ...SCORING_OPTIONS];
  const {k, shard, step, valid, ...scoringOptions} = givenOptions<HardestLossesOptions>(NAME, options, names);
  checkCount(NAME, 'k', k);
  checkWhole(NAME, 'shard', shard);
  checkWhole(NAME, 'step', step);
  const task = scoring(NAME, model, x, y, scoringOptions, true);
  if (valid) checkRows(NAME, 'valid', valid, task.rows);
  const counted = task.rows > 0 ? await countedRows(task, valid) : undefined;
  const scored = await scoreRows(task);
  const isUsable = (row: number) => Number.isFinite(scored[row]) && counted?.[row] !== 0;
  const usable = scored.reduce((total, _, row) => total + Number(isUsable(row)), 0);
  const indices = largestFirst(task.rows, k, (row) => (isUsable(row) ? (scored[row] as number) : Number.NaN));
  const losses = Float32Array.from(indices, (row) => scored[row] as number);
  const fingerprint = modelFingerprint(task.model);
  return {version: SHARDS_VERSION, shard, step, k, rows: task.rows, usable, losses, model: fingerprint, indices};
}

/** Reads a mask of the valid rows with a label in some output; undefined if all rows count. */
async function countedRows({losses, lossWeights, ys}: Scoring, valid: Tensor1D | undefined) {
  const marks = tidy(() => {
    const outputs = losses.length === ys.length ? countedOutputs(lossWeights) : [0];
    const labelled = outputs.map((output) => validRows(losses[output] ?? losses[0], ys[output] as Tensor));
    const given = valid && cast(notEqual(valid, 0), 'float32');
    if (labelled.includes(undefined)) return given;
    const any = (labelled as Tensor[]).reduce((one, other) => maximum(one, other));
    return given ? mul(any, given) : any;
  });
  try {
    return await marks?.data();
  } finally {
    marks?.dispose();
  }
}
