/** Says which shard ended a run, and why; the weights of all others are those of a whole step. */
export class ShardError extends Error {
  override name = 'ShardError';
}

/** Words the end of a run: `shards: shard 1 must answer within 500 ms, got nothing at step 12.` */
export function shardError(who: string, constraint: string, got: string, step: number): ShardError {
  return new ShardError(`shards: ${who} must ${constraint}, got ${got} at step ${step}.`);
}

/** Words the end of a run by late shards: `shards: the shards 1 and 2 must answer within 9 ms` */
export function lateError(late: readonly number[], timeout: number, got: string, step: number): ShardError {
  const who = late.length === 1 ? `shard ${late[0]}` : `the shards ${late.join(' and ')}`;
  return shardError(who, `answer within ${timeout} ms`, got, step);
}

/** Takes an error of any kind for the end of a run. */
export const asShardError = (error: unknown): ShardError =>
  error instanceof ShardError ? error : new ShardError(error instanceof Error ? error.message : String(error));
