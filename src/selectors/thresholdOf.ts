import {checkCount, checkOptionNames} from '../checks';
import {thresholdOver} from '../shards';
import type {GlobalThreshold, ShardLosses} from '../types';

const NAME = 'thresholdOf';

export interface ThresholdOfOptions {
  /** How many rows all shards keep together; an integer from 1 to the rows of all shards. */
  k: number;
  /** How many shards there are: so many losses have to be given. */
  shards: number;
}

/**
 * Finds how many of its hardest rows each shard keeps, so that all shards keep the `k` hardest of
 * all.
 *
 *     loss = the k-th largest of all losses,    counts[s] = |{i of shard s : i among the k largest}|
 *
 * The second phase of a top k over a network: the `hardestLosses` of each shard go to a hub or to all
 * shards, and the result is the same everywhere. Shard `s` trains on the first `counts[s]` of its
 * hardest rows, by `step.gradients(x, y, {threshold})`. Equal losses go to the lower shard, and there
 * to the lower row. If fewer than `k` rows are usable, all of these are kept.
 *
 * @param tops  what {@link ShardLosses} each shard made, in the order of the shards.
 * @param options  `k` and `shards`; or `k` alone, which does not notice if the last shards are missing.
 * @returns `{loss, counts, rows}`, plain data.
 * @throws TypeError or RangeError for a wrong option, if `k` is more than all rows, or if the losses
 *   are of more or fewer shards, of other versions, steps, models or `k`, in another order, or not
 *   complete. All shards throw the same.
 *
 * @example
 * const shard = (shard, losses) =>
 *   ({version: 1, shard, step: 0, k: 3, rows: 4, usable: 4, losses: Float32Array.from(losses)});
 * thresholdOf([shard(0, [0.9, 0.5, 0.1]), shard(1, [0.5, 0.4, 0.2])], {k: 3, shards: 2}).counts;   // [2, 1]
 */
export function thresholdOf(tops: ShardLosses[], options: ThresholdOfOptions | number): GlobalThreshold {
  const given = typeof options === 'number' ? {k: options, shards: Object(tops).length || 1} : options;
  checkOptionNames(NAME, given, ['k', 'shards']);
  const {k, shards} = Object(given) as ThresholdOfOptions;
  checkCount(NAME, 'k', k);
  checkCount(NAME, 'shards', shards);
  return thresholdOver(NAME, 'tops', tops, {k, shards});
}
