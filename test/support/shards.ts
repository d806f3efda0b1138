/** @file Shards of one batch that take turns in one process. */
import type {ShardLosses} from 'ohem-tfjs';

class Asked extends Error {}

/**
 * Runs `part` for each shard as if all ran at once: `exchange` gives each of them the losses of
 * all.
 *
 * Each part runs twice, since a single thread cannot wait for itself: the first time up to its
 * exchange, which throws.
 */
export function inLockStep<T>(
  shards: number,
  part: (shard: number, exchange: (mine: ShardLosses) => ShardLosses[]) => T,
): T[] {
  const all = Array.from({length: shards}, (_, shard) => {
    let given: ShardLosses | undefined;
    try {
      part(shard, (mine) => {
        given = mine;
        throw new Asked();
      });
    } catch (error) {
      if (!(error instanceof Asked)) throw error;
    }
    return given as ShardLosses;
  });
  return all.map((_, shard) => part(shard, () => all));
}

/** Splits rows `0 … Σ sizes − 1` in order. */
export function shardRows(sizes: readonly number[]): {begin: number; size: number}[] {
  return sizes.map((size, i) => ({begin: sizes.slice(0, i).reduce((total, before) => total + before, 0), size}));
}

/** The losses of a shard, as it would give them: `losses` has only usable ones, largest first. */
export function shardLosses(losses: readonly number[], given: Partial<ShardLosses> = {}): ShardLosses {
  const sent = {version: 1, shard: 0, step: 0, k: 2, rows: losses.length, usable: losses.length, ...given};
  return {losses: Float32Array.from(losses.slice(0, sent.k)), ...sent};
}
