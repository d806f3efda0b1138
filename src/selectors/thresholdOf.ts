import {checkCount} from '../checks';
import {thresholdOver} from '../shards';
import type {GlobalThreshold, ShardLosses} from '../types';

const NAME = 'thresholdOf';

/**
 * Finds how many of its hardest rows each shard keeps, so that all shards keep the `k` hardest of
 * all.
 *
 *     loss = the k-th largest of all losses,    counts[s] = |{i of shard s : i among the k largest}|
 *
 * The second phase of a top k over a network: the `hardestLosses` of each shard go to a hub or to
 * all
 * shards, and the result is the same everywhere. Shard `s` trains on the first `counts[s]` of its
 * hardest rows, by `step.gradients(x, y, {threshold})`. Equal losses go to the lower shard, and
 * there
 * to the lower row. If fewer than `k` rows are usable, all of these are kept.
 *
 * @param tops  what {@link ShardLosses} each shard made, in the order of the shards.
 * @param k  how many rows all shards keep; an integer from 1 to the rows of all shards.
 * @returns `{loss, counts, rows}`, plain data.
 * @throws TypeError or RangeError if `k` is none or more than all rows, or the losses are of other
 *   versions, steps, models or `k`, in another order, or not complete. All shards throw the same.
 *
 * @example
 * const shard = (shard, losses) =>
 *   ({version: 1, shard, step: 0, k: 3, rows: 4, usable: 4, losses: Float32Array.from(losses)});
 * thresholdOf([shard(0, [0.9, 0.5, 0.1]), shard(1, [0.5, 0.4, 0.2])], 3).counts;   // [2, 1]
 */
export function thresholdOf(tops: ShardLosses[], k: number): GlobalThreshold {
  checkCount(NAME, 'k', k);
  return thresholdOver(NAME, 'tops', tops, {k});
}
