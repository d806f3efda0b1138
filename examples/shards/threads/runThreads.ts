import {Worker} from 'node:worker_threads';
import {asShardError, lateError, ShardError, shardError} from '../shardError';
import {writeCheckpoint} from '../training/checkpoint';
import {gradientSize} from '../training/network';
import type {OnStep, ShardResult} from '../training/results';
import {GRACE, type Settings, START} from '../training/settings';
import type {TrainingState} from '../training/state';
import {failAll, type SharedMemory, sharedMemory} from './sharedGroup';
import type {FromThread, ThreadData} from './worker';

export interface RunOptions {
  /** Called by shard 0. */
  onStep?: OnStep;
  /** Where to begin. Default: step 0. */
  initial?: TrainingState | undefined;
  /** A folder and the steps between two checkpoints in it. */
  checkpoints?: {folder: string; every: number} | undefined;
  /** Tests end threads by it, and change what one of them is started with. */
  onThreads?: (threads: readonly Worker[]) => void;
  change?: (data: ThreadData) => ThreadData;
}

/** Times that a thread may wait in a step: for losses, gradients, their sum and a checkpoint. */
const WAITS = 4;

/**
 * Trains shards in threads of this process, which exchange losses and gradients by shared memory.
 *
 * @throws ShardError, after all threads have ended, if one of them does not finish. A thread that
 *   does not end by itself is terminated.
 */
export async function runThreads(
  settings: Settings,
  {onStep = () => {}, initial, checkpoints, onThreads, change = (data) => data}: RunOptions = {},
): Promise<ShardResult[]> {
  const memory = sharedMemory(settings, gradientSize(settings));
  const threads = Array.from({length: settings.shards}, (_, shard) => {
    const data = {shard, settings, memory, initial, saveEvery: checkpoints?.every};
    return new Worker(new URL('./start.mjs', import.meta.url), {workerData: change(data)});
  });
  const run = runOf(settings, memory, threads, initial?.step ?? 0);
  let saving = Promise.resolve();
  const hear = (shard: number, said: FromThread) => {
    if (said.type === 'failed') run.fail(new ShardError(said.message), shard);
    if (said.type === 'result') run.finish(said.result);
    if (said.type === 'step') {
      run.advance(shard, said.step);
      if (shard === 0) onStep(said.step);
    }
    if (said.type === 'state' && checkpoints) {
      const save = () => writeCheckpoint(checkpoints.folder, said.state, settings);
      saving = saving.then(save).catch((error) => run.fail(asShardError(error), 0));
    }
  };
  const finished = (thread: Worker, shard: number) =>
    new Promise<void>((resolve) => {
      thread.on('message', (said: FromThread) => hear(shard, said));
      thread.on('error', ({message}) => run.fail(new ShardError(`shards: shard ${shard} threw: ${message}`), shard));
      thread.on('exit', () => {
        run.leave(shard);
        resolve();
      });
    });
  onThreads?.(threads);
  await Promise.all(threads.map(finished));
  await saving;
  return run.end();
}

/**
 * Keeps what the threads have said, and ends them all if one fails or none makes progress.
 *
 * A thread that waits for a late one names it. The timer here ends threads that are all stuck, or
 * that are still there some time after a failure.
 */
function runOf({shards, timeout}: Settings, memory: SharedMemory, threads: readonly Worker[], begin: number) {
  const results: ShardResult[] = [];
  const steps = Array<number>(shards).fill(begin);
  let failure: ShardError | undefined;
  let timer: NodeJS.Timeout | undefined;
  const terminate = () => {
    for (const thread of threads) void thread.terminate();
  };
  const fail = (error: ShardError, shard: number) => {
    failAll(memory, shard);
    if (failure) return;
    failure = error;
    clearTimeout(timer);
    timer = setTimeout(terminate, GRACE);
  };
  const watch = (patience: number) => {
    if (failure) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const unfinished = [...steps.keys()].filter((shard) => !results[shard]);
      if (unfinished.length === 0) return terminate();
      const step = Math.min(...unfinished.map((shard) => steps[shard] as number));
      const late = unfinished.filter((shard) => steps[shard] === step);
      fail(lateError(late, patience, 'nothing', step), late[0] as number);
    }, patience);
  };
  // Loading takes as long as the first wait may.
  watch((2 * START + WAITS) * timeout);
  return {
    fail,
    advance(shard: number, step: number): void {
      steps[shard] = step;
      watch(WAITS * timeout);
    },
    finish(result: ShardResult): void {
      results[result.shard] = result;
      watch(WAITS * timeout);
    },
    leave(shard: number): void {
      if (results[shard]) return;
      fail(shardError(`shard ${shard}`, 'stay until all have finished', 'its end', Math.max(...steps)), shard);
    },
    /** Returns the results, after all threads have ended. */
    end(): ShardResult[] {
      clearTimeout(timer);
      if (failure) throw failure;
      return results;
    },
  };
}
