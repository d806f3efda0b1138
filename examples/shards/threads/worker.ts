/** @file A thread that trains one shard; `runThreads` starts it. */
import {parentPort, workerData} from 'node:worker_threads';
import {dispose} from '@tensorflow/tfjs-core';
import {categoricalCrossentropy, globalTopK, ohemStep} from 'ohem-tfjs';
import {asShardError} from '../shardError';
import {useWasm} from '../training/backend';
import {digitBatches, digitsOf} from '../training/digitBatches';
import {flattenInto, unflattened} from '../training/flat';
import {network, optimizerOf, variablesOf} from '../training/network';
import type {ShardResult} from '../training/results';
import type {Settings} from '../training/settings';
import {fingerprintOf, restore, stateOf, type TrainingState} from '../training/state';
import {type SharedMemory, sharedGroup} from './sharedGroup';

/** What a thread is started with. */
export interface ThreadData {
  shard: number;
  settings: Settings;
  memory: SharedMemory;
  initial: TrainingState | undefined;
  saveEvery: number | undefined;
}

/** What a thread says. */
export type FromThread =
  | {type: 'step'; step: number}
  | {type: 'state'; state: TrainingState}
  | {type: 'result'; result: ShardResult}
  | {type: 'failed'; message: string};

const {shard, settings, memory, initial, saveEvery} = workerData as ThreadData;
const say = (message: FromThread) => parentPort?.postMessage(message);
const group = sharedGroup(memory, shard, settings.timeout);

async function trainShard(): Promise<ShardResult> {
  await useWasm();
  const {shards, k, steps} = settings;
  const batches = digitBatches(await digitsOf(settings), settings);
  const [model, optimizer] = [network(settings), optimizerOf(settings)];
  if (initial) await restore(model, optimizer, initial);
  const variables = variablesOf(model);
  const select = globalTopK({k, shard, shards, exchange: group.exchange});
  const step = ohemStep(model, {loss: categoricalCrossentropy(), select, optimizer});
  const result: ShardResult = {shard, fingerprint: '', ms: [], kept: [], traffic: {sent: 0, received: 0, losses: 0}};
  for (let at = initial?.step ?? 0; at < steps; at++) {
    const {xs, ys} = batches.ofShard(at, shard);
    const start = performance.now();
    const {gradients, report} = step.gradients(xs, ys, {step: at});
    const threshold = report.selection.threshold?.counts ?? [];
    const own = report.selection.weights.dataSync().filter((weight) => weight > 0).length;
    const {sum, kept} = group.allReduce((part) => flattenInto(part, Object.values(gradients)), own);
    // If rows were kept but none was trained on, a gradient was not finite, and no shard takes the
    // step.
    if (kept > 0 && kept === threshold.reduce((total, count) => total + count, 0)) {
      const summed = unflattened(sum, variables);
      step.apply(summed);
      dispose(summed);
    }
    result.ms.push(performance.now() - start);
    result.kept.push(own);
    count(result, threshold);
    dispose([xs, ys, gradients]);
    report.dispose();
    const isDue = saveEvery && ((at + 1) % saveEvery === 0 || at + 1 === steps);
    if (isDue) save(await stateOf(model, optimizer, at + 1));
    say({type: 'step', step: at + 1});
  }
  const state = await stateOf(model, optimizer, steps);
  return {...result, fingerprint: fingerprintOf(state), ...(shard === 0 && {weights: state.weights})};
}

/** Has a checkpoint written, if all shards have the same weights. */
function save(state: TrainingState): void {
  group.checkEqual(fingerprintOf(state));
  if (shard === 0) say({type: 'state', state});
}

/** Counts the bytes that a step writes for other threads, and reads of theirs. */
function count({traffic}: ShardResult, counts: readonly number[]): void {
  const [losses, gradients] = [4 * settings.k, 4 * memory.size];
  traffic.sent += losses + gradients;
  traffic.received += losses * (counts.length - 1) + gradients;
  traffic.losses += losses * counts.length;
}

try {
  say({type: 'result', result: await trainShard()});
} catch (error) {
  group.fail();
  say({type: 'failed', message: asShardError(error).message});
}
