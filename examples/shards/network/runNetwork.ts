import {type ChildProcess, fork} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {version_core} from '@tensorflow/tfjs-core';
import ohem from '../../../package.json' with {type: 'json'};
import {asShardError, ShardError, shardError} from '../shardError';
import {gradientSize} from '../training/network';
import type {OnStep, ShardResult} from '../training/results';
import {GRACE, type Settings} from '../training/settings';
import {openHub} from './hub';
import type {FromProcess, ProcessData} from './process';

export interface NetworkOptions {
  /** Called for shard 0. */
  onStep?: OnStep;
  /** A folder and the steps between two checkpoints in it. */
  checkpoints?: {folder: string; every: number} | undefined;
  /** Whether to resume from the checkpoint. */
  resume?: boolean;
  /** Tests kill processes by it, and change what one of them is started with. */
  onProcesses?: (processes: readonly ChildProcess[]) => void;
  change?: (data: ProcessData) => ProcessData;
}

/**
 * Trains shards in processes of their own, which exchange losses and gradients over TCP with a hub
 * in this process.
 *
 * @throws ShardError, after all processes have ended, if one of them does not finish.
 */
export async function runNetwork(
  settings: Settings,
  {onStep = () => {}, checkpoints, resume = false, onProcesses, change = (data) => data}: NetworkOptions = {},
): Promise<ShardResult[]> {
  const {shards, k, timeout} = settings;
  const hub = await openHub({shards, k, timeout, size: gradientSize(settings)});
  const versions = {'ohem-tfjs': ohem.version, tfjs: version_core};
  const program = fileURLToPath(new URL('./process.ts', import.meta.url));
  const results: ShardResult[] = [];
  /** What each shard said of its end. */
  const failures: string[] = [];
  const processes = Array.from({length: shards}, (_, shard) => {
    const data = change({shard, settings, versions, checkpoints, resume, port: hub.port});
    return fork(program, [JSON.stringify(data)], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  });
  for (const [shard, child] of processes.entries()) {
    child.on('message', (said: FromProcess) => {
      if (said.type === 'failed') failures[shard] = said.message;
      if (said.type === 'step' && shard === 0) onStep(said.step);
      if (said.type === 'result') {
        const {weights, ...rest} = said.result;
        results[shard] = {...rest, ...(weights && {weights: Float32Array.from(weights)})};
      }
    });
  }
  for (const [shard, child] of processes.entries()) {
    child.once('close', (code, signal) => {
      if (results[shard]) return;
      const said = failures[shard];
      // One that could not join says why to this process alone.
      if (said !== undefined) return hub.end(new ShardError(said));
      // The hub sees the end of a shard that has joined.
      const gone = shardError(`shard ${shard}`, 'stay until all have finished', `its end (${signal ?? code})`, 0);
      setTimeout(() => hub.end(gone), GRACE).unref();
    });
  }
  onProcesses?.(processes);
  const ended = Promise.all(processes.map((child) => new Promise((resolve) => child.once('close', resolve))));
  const outcome = hub.finished.then(
    () => undefined,
    (error: unknown) => asShardError(error),
  );
  const failure = await outcome;
  const killer = setTimeout(() => processes.forEach((child) => void child.kill('SIGKILL')), failure ? GRACE : timeout);
  await ended;
  clearTimeout(killer);
  if (failure) throw failure;
  const missing = [...processes.keys()].find((shard) => !results[shard]);
  if (missing === undefined) return results;
  throw new ShardError(failures.find(Boolean) ?? `shards: shard ${missing} must give its result, got none.`);
}
