import {once} from 'node:events';
import {Worker} from 'node:worker_threads';
import {describe, expect, it} from 'vitest';
import {failAll, sharedGroup, sharedMemory} from '../../../../examples/shards/threads/sharedGroup';
import {shardLosses} from '../../../support/shards';

const losses = shardLosses([3, 1], {step: 4, model: 7});

describe('A group of threads', () => {
  it('of one exchanges with itself, and sums what it has', () => {
    const group = sharedGroup(sharedMemory({shards: 1, k: 2}, 3), 0, 1000);
    expect(group.exchange(losses)).toEqual([losses]);
    const write = (part: Float32Array) => part.set([1, 2, 3]);
    expect(group.allReduce(write, 2)).toEqual({sum: Float32Array.of(1, 2, 3), kept: 2});
  });

  it('ends with the name of the late shard, on all shards', () => {
    const memory = sharedMemory({shards: 2, k: 2}, 3);
    const message = 'shards: shard 1 must answer within 120 ms, got nothing at step 4.';
    expect(() => sharedGroup(memory, 0, 20).exchange(losses)).toThrow(message);
    expect(() => sharedGroup(memory, 1, 1000).exchange({...losses, shard: 1, step: 3})).toThrow(message);
    expect(() => sharedGroup(memory, 0, 1000).allReduce(() => {}, 0)).toThrow(message);
  });

  it('ends with the names of all late shards, and of no shard that came', async () => {
    const memory = sharedMemory({shards: 4, k: 2}, 3);
    const waiting = `const {parentPort, workerData: {ARRIVED, CONTROLS, control}} = require('node:worker_threads');
      const controls = new Int32Array(control);
      Atomics.store(controls, CONTROLS + 2, 1);
      Atomics.add(controls, ARRIVED, 1);`;
    const other = new Worker(waiting, {eval: true, workerData: {ARRIVED: 0, CONTROLS: 4, control: memory.control}});
    await once(other, 'exit');
    expect(() => sharedGroup(memory, 0, 20).exchange(losses)).toThrow(
      'shards: the shards 1 and 3 must answer within 120 ms, got nothing at step 4.',
    );
  });

  it('ends with the name of the first that failed', () => {
    const memory = sharedMemory({shards: 3, k: 2}, 3);
    failAll(memory, 2);
    failAll(memory, 1);
    expect(() => sharedGroup(memory, 0, 1000).allReduce(() => {}, 0)).toThrow(
      'shards: shard 2 must stay until all have finished, got its end at step 0.',
    );
  });

  it('lets no thread through for a wake-up that is not of its turn', async () => {
    const memory = sharedMemory({shards: 2, k: 2}, 3);
    const waking = `const control = new Int32Array(require('node:worker_threads').workerData);
      setInterval(() => Atomics.notify(control, 1), 1);`;
    const waker = new Worker(waking, {eval: true, workerData: memory.control});
    await once(waker, 'online');
    try {
      expect(() => sharedGroup(memory, 0, 50).exchange(losses)).toThrow('shard 1 must answer within 300 ms');
    } finally {
      await waker.terminate();
    }
  });

  it('takes a fingerprint that all have, and names the shard that has another', () => {
    const group = sharedGroup(sharedMemory({shards: 1, k: 2}, 3), 0, 1000);
    expect(() => group.checkEqual('ab'.repeat(32))).not.toThrow();
    const memory = sharedMemory({shards: 2, k: 2}, 3);
    new Uint8Array(memory.fingerprints, 32).fill(7);
    // The other thread is there already.
    Atomics.store(new Int32Array(memory.control), 0, 1);
    expect(() => sharedGroup(memory, 0, 1000).checkEqual('ab'.repeat(32))).toThrow(
      'shards: shard 1 must have the weights of shard 0, got others at step 0.',
    );
  });
});
