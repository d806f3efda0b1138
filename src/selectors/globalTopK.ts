import {getBackend, tensor1d} from '@tensorflow/tfjs-core';
import {checkCount, checkFunction, checkOptionNames, checkWhole, livesInMainMemory, rangeError} from '../checks';
import {SHARDS_VERSION, thresholdOver} from '../shards';
import type {Selection, Selector, ShardLosses} from '../types';
import {areFewOnHost, keepLargest, keepLargestOnHost, rankable} from './ranking';
import {type Batch, selector} from './selector';

const NAME = 'globalTopK';

export interface GlobalTopKOptions {
  /** Number of rows that all shards keep together; an integer from 1 to the rows of all shards. */
  k: number;
  /** Index of this shard among all shards, from 0. */
  shard: number;
  /** Number of shards. */
  shards: number;
  /**
   * Exchanges the losses of this shard for those of all shards.
   *
   * Sends the losses to all other shards, waits for theirs, and returns all of them in the order of
   * the shards, this one included. Called once per step.
   */
  exchange: (mine: ShardLosses) => ShardLosses[];
}

/**
 * Keeps the rows of this shard that are among the `k` with the largest losses over all shards.
 *
 *     kept = {i of this shard : i ∈ argsort(losses of all shards, descending)[0 … k)}
 *
 * The rule of `topK` for a batch that is split over several workers, one shard in each. A shard
 * sends at most `k` losses. Ties keep the lower shard, then the lower row, so the kept rows are
 * those of `topK({k})` over the concatenated shards.
 *
 * The selection has a `threshold`, so `step.gradients` divides by the rows of all shards and adds
 * regularisers once. The gradients of all shards thus sum to the gradient of the whole batch.
 * `step`, `fitOhem` and `ohemLoss` throw, because they would update by a part of it.
 *
 * A shard may have no row: `step.gradients` then exchanges no loss, and returns zeros.
 *
 * `exchange` waits inside the step, for shards that share memory (`Atomics.wait`). It reads the
 * losses, so the backend must be cpu or wasm. For a network or a GPU see `hardestLosses`.
 *
 * @param options  `k`, `shard`, `shards` and `exchange`.
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K], threshold}`,
 *   hardest first. `K` is the number of rows that this shard keeps; if it is 0, one slot of weight
 *   0.
 * @throws RangeError or TypeError for a wrong option; on every shard if `exchange` returns too few
 *   losses, those of another step, `k`, version or model, or in another order, or if `k` exceeds
 *   the number of all rows; RangeError on a backend other than cpu and wasm.
 *
 * @example
 * const other = {version: 1, shard: 1, step: 0, k: 2, rows: 2, usable: 2, losses:
 * Float32Array.of(0.7, 0.2)};
 * const hardest = globalTopK({k: 2, shard: 0, shards: 2, exchange: (mine) => [mine, other]});
 * hardest(tf.tensor1d([0.1, 0.9, 0.3])).indices.dataSync();   // Int32Array [1]
 *
 * @see Shrivastava, Gupta & Girshick, CVPR 2016, §4 (arXiv:1604.03540), for the rule on one machine
 */
export function globalTopK(options: GlobalTopKOptions): Selector {
  checkOptionNames(NAME, options, ['k', 'shard', 'shards', 'exchange']);
  const {k, shard, shards, exchange} = Object(options) as GlobalTopKOptions;
  checkCount(NAME, 'k', k);
  checkCount(NAME, 'shards', shards);
  checkWhole(NAME, 'shard', shard);
  if (shard >= shards) throw rangeError(NAME, 'shard', `be < ${shards}, the number of shards`, shard);
  checkFunction(NAME, 'exchange', 'be a function from the losses of this shard to those of all', exchange);

  const choose = (batch: Batch): Selection => {
    if (!livesInMainMemory()) throw onDevice();
    const {losses, context} = batch;
    const {step = 0, model} = context;
    const usable =
      losses.size === 0 ? 0 : batch.rows.dataSync<'int32'>().reduce((total, isUsable) => total + isUsable, 0);
    const {indices} = areFewOnHost(losses)
      ? keepLargestOnHost(losses, losses, {k}, context)
      : keepLargest(rankable(losses, batch.rows), {k}, context);
    const order = indices.dataSync<'int32'>();
    const values = losses.dataSync<'float32'>();
    const largest = Float32Array.from(order.subarray(0, Math.min(k, usable)), (row) => values[row] as number);
    const mine = {version: SHARDS_VERSION, shard, step, k, rows: losses.size, usable, losses: largest, model};
    const tops = exchange({...mine, losses: largest.slice()});
    const threshold = thresholdOver(NAME, 'the result of exchange', tops, {k, shards, step});
    checkOwn(tops[shard] as ShardLosses, mine);
    const count = threshold.counts[shard] as number;
    if (count === 0) return {indices: tensor1d([0], 'int32'), weights: tensor1d([0]), threshold};
    return {
      indices: tensor1d(order.slice(0, count), 'int32'),
      weights: tensor1d(new Float32Array(count).fill(1)),
      threshold,
    };
  };
  return selector(NAME, choose, undefined, {acceptsEmpty: true, needs: ['model']});
}

/**
 * Checks that an exchange returns this shard's losses; otherwise it mixes steps or shards.
 */
function checkOwn({losses}: ShardLosses, {shard, losses: given}: ShardLosses): void {
  const other = given.findIndex((loss, i) => loss !== losses[i]);
  if (other < 0) return;
  const constraint = 'be the losses that this shard gave';
  const got = `${losses[other]} for ${given[other]} at position ${other}`;
  const remedy = 'They are of another exchange: let every shard wait until all have read.';
  throw rangeError(NAME, `the result of exchange[${shard}]`, constraint, got, remedy);
}

function onDevice(): RangeError {
  const remedy = 'A step never waits for a device: use hardestLosses and thresholdOf.';
  return rangeError(NAME, 'backend', 'be cpu or wasm, to read losses without waiting', getBackend(), remedy);
}
