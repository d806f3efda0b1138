import {Worker} from 'node:worker_threads';
import {asShardError, ShardError, shardError} from '../shardError';
import {writeCheckpoint} from '../training/checkpoint';
import {gradientSize} from '../training/network';
import type {OnStep, ShardResult} from '../training/results';
import type {Settings} from '../training/settings';
import type {TrainingState} from '../training/state';
import {failAll, sharedMemory} from './sharedGroup';
import type {FromThread, ThreadData} from './worker';

export interface RunOptions {
  /** Called by shard 0. */
  onStep?: OnStep;
  /** Where to begin. Default: step 0. */
  initial?: TrainingState | undefined;
  /** A folder and the steps between two checkpoints in it. */
  checkpoints?: {folder: string; every: number} | undefined;
  /** Tests end threads by it. */
  onThreads?: (threads: readonly Worker[]) => void;
}

/**
 * Trains shards in threads of this process, which exchange losses and gradients by shared memory.
 *
 * @throws ShardError, after all threads have ended, if one of them does not finish.
 */
export async function runThreads(
  settings: Settings,
  {onStep = () => {}, initial, checkpoints, onThreads}: RunOptions = {},
): Promise<ShardResult[]> {
  const memory = sharedMemory(settings, gradientSize(settings));
  let saving = Promise.resolve();
  let failure: ShardError | undefined;
  let at = 0;
  const results: ShardResult[] = [];
  const start = (shard: number) => {
    const data: ThreadData = {shard, settings, memory, initial, saveEvery: checkpoints?.every};
    return new Worker(new URL('./start.mjs', import.meta.url), {workerData: data});
  };
  const stop = (error: unknown) => {
    failure ??= asShardError(error);
    failAll(memory, 0);
  };
  const finished = (thread: Worker, shard: number) =>
    new Promise<void>((resolve) => {
      thread.on('message', (said: FromThread) => {
        if (said.type === 'result') results[shard] = said.result;
        if (said.type === 'failed') failure ??= new ShardError(said.message);
        if (said.type === 'state' && checkpoints) {
          saving = saving.then(() => writeCheckpoint(checkpoints.folder, said.state, settings)).catch(stop);
        }
        if (said.type === 'step' && shard === 0) {
          at = said.step;
          onStep(at);
        }
      });
      thread.on('error', (error) => {
        failure ??= new ShardError(`shards: shard ${shard} threw: ${error.message}`);
      });
      thread.on('exit', () => {
        if (!results[shard]) {
          failAll(memory, shard);
          failure ??= shardError(`shard ${shard}`, 'stay until all have finished', 'its end', at);
        }
        resolve();
      });
    });
  const threads = Array.from({length: settings.shards}, (_, shard) => start(shard));
  onThreads?.(threads);
  await Promise.all(threads.map(finished));
  await saving;
  if (failure) throw failure;
  return results;
}
