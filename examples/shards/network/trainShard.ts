import {dispose} from '@tensorflow/tfjs-core';
import {all, categoricalCrossentropy, hardestLosses, ohemStep} from 'ohem-tfjs';
import type {DigitData} from '../../mnist/data/digits';
import {taskOf, writeCheckpoint} from '../training/checkpoint';
import {digitBatches} from '../training/digitBatches';
import {flattened, unflattened} from '../training/flat';
import {network, optimizerOf, variablesOf} from '../training/network';
import type {OnStep, ShardResult} from '../training/results';
import type {Settings} from '../training/settings';
import {fingerprintOf, restore, stateOf, type TrainingState} from '../training/state';
import {textBytes} from './frames';
import type {Member} from './member';
import {gradientsIn, gradientsPayload, lossesPayload, thresholdIn} from './payloads';

export interface ShardRun {
  shard: number;
  settings: Settings;
  /** What the other shards have to have too: versions of libraries. */
  versions: Record<string, string>;
  initial?: TrainingState | undefined;
  checkpoints?: {folder: string; every: number} | undefined;
}

/**
 * Trains one shard, in two phases a step: its largest losses, then the rows that are among those of
 * all.
 */
export async function trainShard(
  member: Member,
  run: ShardRun,
  digits: DigitData,
  onStep: OnStep,
): Promise<ShardResult> {
  const {shard, settings, versions, initial, checkpoints} = run;
  const {k, rows, shards, steps} = settings;
  const loss = categoricalCrossentropy();
  const batches = digitBatches(digits, settings);
  const [model, optimizer] = [network(settings), optimizerOf(settings)];
  if (initial) await restore(model, optimizer, initial);
  const variables = variablesOf(model);
  const step = ohemStep(model, {loss, select: all(), optimizer});
  const result: ShardResult = {shard, fingerprint: '', ms: [], kept: [], traffic: member.traffic};
  let at = initial?.step ?? 0;
  const begun = await stateOf(model, optimizer, at);
  const greeting = {...versions, settings: taskOf(settings), weights: fingerprintOf(begun)};
  await member.ask('hello', at, textBytes(JSON.stringify(greeting)));
  for (; at < steps; at++) {
    const {xs, ys, rows: ofShard} = batches.ofShard(at, shard);
    const start = performance.now();
    const mine = await hardestLosses(model, xs, ys, {k, shard, step: at, loss, batchSize: Math.ceil(rows / shards)});
    const threshold = thresholdIn(await member.ask('losses', at, lossesPayload(mine)));
    const own = mine.indices.subarray(0, threshold.counts[shard]);
    const part = batches.taken(Array.from(own, (row) => ofShard[row] as number));
    const {gradients, report} = step.gradients(part.xs, part.ys, {threshold});
    const {kept} = await report.read();
    const sum = gradientsIn(
      await member.ask('gradients', at, gradientsPayload(kept, flattened(Object.values(gradients)))),
    );
    // If rows were kept but none was trained on, a gradient was not finite, and no shard takes the
    // step.
    if (sum.kept > 0 && sum.kept === threshold.counts.reduce((total, count) => total + count, 0)) {
      const summed = unflattened(sum.gradients, variables);
      step.apply(summed);
      dispose(summed);
    }
    result.ms.push(performance.now() - start);
    result.kept.push(kept);
    dispose([xs, ys, part.xs, part.ys, gradients]);
    const isDue = checkpoints && ((at + 1) % checkpoints.every === 0 || at + 1 === steps);
    if (isDue) await save(member, run, await stateOf(model, optimizer, at + 1));
    onStep(at + 1);
  }
  const state = await stateOf(model, optimizer, steps);
  await member.ask('bye', steps);
  return {...result, fingerprint: fingerprintOf(state), ...(shard === 0 && {weights: state.weights})};
}

/** Writes a checkpoint, if all shards have the same weights. */
async function save(member: Member, {shard, settings, checkpoints}: ShardRun, state: TrainingState): Promise<void> {
  await member.ask('state', state.step, textBytes(fingerprintOf(state)));
  if (shard === 0 && checkpoints) await writeCheckpoint(checkpoints.folder, state, settings);
}
