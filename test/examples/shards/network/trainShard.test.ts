/** @file Two shards and their hub in this process: what they train is what one process trains. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {openHub} from '../../../../examples/shards/network/hub';
import {joinHub, type Member} from '../../../../examples/shards/network/member';
import {trainShard} from '../../../../examples/shards/network/trainShard';
import {useWasm} from '../../../../examples/shards/training/backend';
import {readCheckpoint} from '../../../../examples/shards/training/checkpoint';
import {digitsOf} from '../../../../examples/shards/training/digitBatches';
import {gradientSize} from '../../../../examples/shards/training/network';
import {oneProcess} from '../../../../examples/shards/training/oneProcess';
import type {Settings} from '../../../../examples/shards/training/settings';
import {tinySettings} from '../tinySettings';

let folder: string;
beforeAll(useWasm);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shards-'));
});
afterEach(() => rm(folder, {recursive: true}));

interface Trial {
  every?: number;
  resume?: boolean;
  /** A shard that leaves after a number of steps. */
  dies?: {shard: number; after: number};
  change?: (settings: Settings, shard: number) => Settings;
}

async function train(settings: Settings, {every = 3, resume, dies, change = (same) => same}: Trial = {}) {
  const {shards, k, timeout} = settings;
  const size = gradientSize(settings);
  const hub = await openHub({shards, k, timeout, size});
  const digits = await digitsOf(settings);
  const checkpoints = {folder, every};
  const shardAt = async (shard: number) => {
    const member: Member = await joinHub({port: hub.port, shard, size, timeout: 2 * timeout});
    const initial = resume ? await readCheckpoint(folder, settings) : undefined;
    const run = {shard, settings: change(settings, shard), versions: {}, checkpoints, initial};
    try {
      return await trainShard(member, run, digits, (step) => {
        if (dies?.shard === shard && dies.after === step) member.leave();
      });
    } finally {
      member.leave();
    }
  };
  const ends = await Promise.allSettled(Array.from({length: shards}, (_, shard) => shardAt(shard)));
  await hub.finished.catch(() => {});
  return ends;
}

const finished = async (run: ReturnType<typeof train>) =>
  (await run).map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });

describe('Shards over a network', () => {
  it.each([2, 3])('end with the weights of one process: %i of them', async (shards) => {
    const settings = tinySettings({shards});
    const single = await oneProcess(settings, await digitsOf(settings));
    const results = await finished(train(settings));
    expect(new Set(results.map(({fingerprint}) => fingerprint)).size).toBe(1);
    const kept = results.map((result) => result.kept);
    for (let step = 0; step < settings.steps; step++) {
      expect(kept.reduce((total, ofShard) => total + (ofShard[step] as number), 0)).toBe(settings.k);
    }
    const weights = results[0]?.weights as Float32Array;
    const difference = weights.map((weight, i) => Math.abs(weight - (single.weights?.[i] as number)));
    expect(Math.max(...difference)).toBeLessThan(1e-6);
    // As docs/scaling.md has it, but for a hello, three fingerprints and a goodbye.
    const {sent = 0, received = 0, losses = 0} = results[0]?.traffic ?? {};
    const gradients = 4 * gradientSize(settings);
    expect(received).toBe(settings.steps * (gradients + 4 * shards + 44) + 5 * 16);
    const hello =
      sent - settings.steps * (gradients + 4 * Math.min(settings.k, settings.rows / shards) + 56) - 4 * 16 - 3 * 64;
    expect(hello).toBeGreaterThan(100);
    expect(hello).toBeLessThan(400);
    expect(losses).toBeGreaterThan(0);
  });

  it('end all with the name of one that dies, and resume with the bits of a run without a death', async () => {
    const settings = tinySettings();
    for (const [shard, after] of [
      [1, 2],
      [0, 4],
      [1, 7],
    ] as const) {
      const [one, two] = (await train(settings, {resume: true, dies: {shard, after}})) as PromiseRejectedResult[];
      const other = (shard === 0 ? two : one) as PromiseRejectedResult;
      const message = `shards: shard ${shard} must stay until all have finished, got its end at step`;
      expect((other.reason as Error).message).toContain(message);
    }
    const [resumed] = await finished(train(settings, {resume: true}));
    expect(resumed?.ms).toHaveLength(2);
    const [undisturbed] = await finished(train(settings));
    expect(resumed?.fingerprint).toBe(undisturbed?.fingerprint);
  });

  it.each<[string, NonNullable<Trial['change']>, string]>([
    ['another model', (s, shard) => ({...s, hidden: s.hidden + shard}), 'have the settings of shard 0'],
    ['other first weights', (s, shard) => ({...s, seed: s.seed + shard}), 'have the settings of shard 0'],
    ['another k', (s, shard) => ({...s, k: s.k + shard}), 'have the settings of shard 0'],
  ])('end on every shard with a name if one has %s', async (_, change, message) => {
    for (const end of await train(tinySettings(), {change})) {
      expect(end).toMatchObject({status: 'rejected', reason: {name: 'ShardError'}});
      expect((end as PromiseRejectedResult).reason.message).toContain(`shards: shard 1 must ${message}`);
    }
  });

  it('leak no tensor in a step', async () => {
    const settings = tinySettings({steps: 3});
    await finished(train(settings));
    const before = tf.memory().numTensors;
    await finished(train({...settings, steps: 3}));
    const few = tf.memory().numTensors - before;
    await finished(train({...settings, steps: 6}));
    expect(tf.memory().numTensors - before - few).toBe(few);
  });
});
