/** @file Threads that are stuck end with an error, whichever of them they are. */
import {describe, expect, it} from 'vitest';
import {runThreads} from '../../../../examples/shards/threads/runThreads';
import {sharedMemory} from '../../../../examples/shards/threads/sharedGroup';
import type {ThreadData} from '../../../../examples/shards/threads/worker';
import {gradientSize} from '../../../../examples/shards/training/network';
import {tinySettings} from '../tinySettings';

/** Lets a thread wait for hours: for threads that share another memory with it. */
const stuck = (data: ThreadData): ThreadData => ({
  ...data,
  memory: sharedMemory(data.settings, gradientSize(data.settings)),
  settings: {...data.settings, timeout: 3_600_000},
});

/** Runs threads, and returns those that are left when the run has ended, with its error. */
async function endOf(timeout: number, isStuck: (shard: number) => boolean) {
  const settings = tinySettings({timeout});
  let left = settings.shards;
  const run = runThreads(settings, {
    change: (data) => (isStuck(data.shard) ? stuck(data) : data),
    onThreads: (threads) => {
      for (const thread of threads) thread.once('exit', () => left--);
    },
  });
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return {left, error};
}

describe('Threads', () => {
  it('end with the name of one that is stuck', async () => {
    expect(await endOf(800, (shard) => shard === 0)).toMatchObject({
      left: 0,
      error: {name: 'ShardError', message: 'shards: shard 0 must answer within 4800 ms, got nothing at step 0.'},
    });
  });

  it('end with the names of all if all are stuck', async () => {
    expect(await endOf(200, () => true)).toMatchObject({
      left: 0,
      error: {
        name: 'ShardError',
        message: 'shards: the shards 0 and 1 must answer within 3200 ms, got nothing at step 0.',
      },
    });
  });
});
