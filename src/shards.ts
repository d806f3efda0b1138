/**
 * @file The losses that the shards of a batch exchange, and the number of rows that each shard
 * keeps.
 */

import {rangeError, typeError} from './checks';
import type {GlobalThreshold, ShardLosses} from './types';

/** Version of the `ShardLosses` format. */
export const SHARDS_VERSION = 1;

const OTHER_MODEL =
  'Build the same model in all shards: its layers, their options and the shapes of its weights count, names do not.';

/** Expected values in the losses of all shards. */
export interface Expected {
  k: number;
  shards: number;
  /** Omit for the step of the first shard. */
  step?: number;
}

/**
 * Finds how many rows each shard keeps, so that together they keep the `k` hardest; equal losses go
 * to the lower shard.
 *
 * @param argument  the name of the losses in errors.
 */
export function thresholdOver(where: string, argument: string, tops: ShardLosses[], expected: Expected) {
  checkTops(where, argument, tops, expected);
  const rows = tops.reduce((total, top) => total + top.rows, 0);
  if (expected.k > rows) throw rangeError(where, 'k', `be <= ${rows}, the rows of all shards`, expected.k);
  const all = tops.flatMap(({losses}, shard) => Array.from(losses, (loss) => ({loss, shard})));
  // Stable, so that equal losses stay in the order of the shards.
  const kept = all.sort((one, other) => other.loss - one.loss).slice(0, expected.k);
  const counts = tops.map(() => 0);
  for (const {shard} of kept) counts[shard] = (counts[shard] as number) + 1;
  return {loss: kept.at(-1)?.loss ?? Number.POSITIVE_INFINITY, counts, rows} satisfies GlobalThreshold;
}

/** Counts the rows that all shards keep together. */
export const keptByAll = ({counts}: GlobalThreshold): number => counts.reduce((total, count) => total + count, 0);

/**
 * Checks the losses of all shards. Every shard sees the same losses, so all throw if two differ.
 * Each compares with its own `k` and step, so the errors may name different shards.
 */
function checkTops(where: string, argument: string, tops: ShardLosses[], {k, shards, step}: Expected): void {
  if (!Array.isArray(tops)) {
    const remedy = isThenable(tops) ? 'To await other shards, use hardestLosses.' : '';
    throw typeError(where, argument, 'be a list with the losses of each shard', kindOf(tops), remedy);
  }
  if (tops.length !== shards) {
    throw rangeError(where, argument, `have the losses of ${shards} shards`, tops.length);
  }
  // A transport need not carry the fingerprint of the model.
  const model = tops.find((top) => top?.model !== undefined)?.model;
  for (const [place, top] of tops.entries()) {
    const of = `${argument}[${place}]`;
    checkForm(where, of, top);
    const same: [keyof ShardLosses, unknown, string][] = [
      ['version', SHARDS_VERSION, 'Run one version of ohem-tfjs in all shards.'],
      ['shard', place, 'Put the losses in the order of the shards.'],
      ['step', step ?? tops[0]?.step, 'All shards take the same steps, and exchange in each of them.'],
      ['k', k, 'Pass the same k in all shards.'],
      ['model', top.model === undefined ? undefined : model, OTHER_MODEL],
    ];
    for (const [name, wanted, remedy] of same) {
      if (top[name] !== wanted) throw rangeError(where, `${of}.${name}`, `be ${wanted}`, top[name], remedy);
    }
    checkLosses(where, of, top);
  }
}

function checkForm(where: string, of: string, top: ShardLosses): void {
  const {losses, rows, usable} = Object(top) as Partial<ShardLosses>;
  if (losses instanceof Float32Array && [rows, usable].every((count) => Number.isInteger(count))) return;
  const isList = typeof losses === 'object' && !(losses instanceof Float32Array);
  const remedy = isList ? 'After JSON, make a Float32Array of losses again: send Array.from(losses).' : '';
  throw typeError(where, of, 'be {losses, rows, usable, …} from a shard', kindOf(top), remedy);
}

function checkLosses(where: string, of: string, {losses, k, rows, usable}: ShardLosses): void {
  if (usable < 0 || usable > rows) throw rangeError(where, `${of}.usable`, `be in [0, ${rows}]`, usable);
  const count = Math.min(k, usable);
  if (losses.length !== count) {
    const remedy = 'They were truncated or mixed up in transport.';
    throw rangeError(where, `${of}.losses`, `be the ${count} largest of ${usable}`, `${losses.length} of them`, remedy);
  }
  const isWrong = (loss: number, i: number) => !Number.isFinite(loss) || loss > (losses[i - 1] ?? loss);
  const wrong = losses.findIndex(isWrong);
  if (wrong < 0) return;
  throw rangeError(where, `${of}.losses`, 'be finite, largest first', `${losses[wrong]} at position ${wrong}`);
}

const isThenable = (value: unknown): boolean => typeof (Object(value) as {then?: unknown}).then === 'function';

const kindOf = (value: unknown): unknown => (isThenable(value) ? 'a promise' : value);
