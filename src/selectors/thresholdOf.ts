import {checkCount, checkOptionNames} from '../checks';
import {thresholdOver} from '../shards';
import type {GlobalThreshold, ShardLosses} from '../types';

const NAME = 'thresholdOf';

export interface ThresholdOfOptions {
  /** Number of rows that all shards keep together; an integer from 1 to the rows of all shards. */
  k: number;
  /** Number of shards, equal to the number of given losses. */
  shards: number;
}

/**
 * Computes how many of its hardest rows each shard keeps, for a top `k` over all shards.
 *
 *     loss = the k-th largest of all losses,   counts[s] = |{i of shard s : i among the k largest}|
 *
 * The second phase of a top k over a network. Each shard sends its `hardestLosses` to a hub or to
 * all shards, and the result is the same everywhere. Shard `s` trains on the first `counts[s]` of
 * its hardest rows, by `step.gradients(x, y, {threshold})`. Ties keep the lower shard, then the
 * lower row. If fewer than `k` rows are usable, all of them are kept.
 *
 * @param tops  the {@link ShardLosses} of all shards, in the order of the shards.
 * @param options  `k` and `shards`; or `k` alone, which does not detect that the last shards are
 *   missing.
 * @returns `{loss, counts, rows}`, plain data.
 * @throws TypeError or RangeError for a wrong option, if `k` exceeds the number of all rows, or if
 *   the losses are of more or fewer shards, of other versions, steps, models or `k`, in another
 *   order, or incomplete. All shards throw; if their `k` differ, each names another shard.
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
