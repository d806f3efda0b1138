/** @file A process that trains one shard over a network; `runNetwork` starts it. */
import {asShardError} from '../shardError';
import {useWasm} from '../training/backend';
import {readCheckpoint} from '../training/checkpoint';
import {digitsOf} from '../training/digitBatches';
import {gradientSize} from '../training/network';
import type {ShardResult} from '../training/results';
import {joinHub, type Member} from './member';
import {type ShardRun, trainShard} from './trainShard';

/** What a process is started with, as JSON. */
export interface ProcessData extends Omit<ShardRun, 'initial'> {
  port: number;
  host?: string;
  /** Whether to resume from the checkpoint. */
  resume: boolean;
}

/** What a process says. */
export type FromProcess =
  | {type: 'step'; step: number}
  | {type: 'result'; result: Omit<ShardResult, 'weights'> & {weights?: number[]}}
  | {type: 'failed'; message: string};

const run = JSON.parse(process.argv[2] as string) as ProcessData;
const {settings, checkpoints} = run;
const say = (message: FromProcess) =>
  new Promise<void>((resolve) => {
    if (process.send) process.send(message, () => resolve());
    else resolve();
  });

let member: Member | undefined;
let step = 0;
try {
  await useWasm();
  const digits = await digitsOf(settings);
  const initial = run.resume && checkpoints ? await readCheckpoint(checkpoints.folder, settings) : undefined;
  // The hub waits less: it knows who is late.
  member = await joinHub({...run, size: gradientSize(settings), timeout: 2 * settings.timeout});
  const result = await trainShard(member, {...run, initial}, digits, (at) => {
    step = at;
    void say({type: 'step', step});
  });
  const {weights, ...rest} = result;
  await say({type: 'result', result: {...rest, ...(weights && {weights: Array.from(weights)})}});
} catch (error) {
  const failure = asShardError(error);
  await member?.fail(failure, step);
  await say({type: 'failed', message: failure.message});
  process.exitCode = 1;
} finally {
  member?.leave();
  // Messages that are still under way are lost if the channel is closed before they were sent.
  if (process.connected) process.disconnect();
}
