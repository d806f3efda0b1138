import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import {
  copyRegisteredKernels,
  findBackendFactory,
  type KernelBackend,
  memory,
  registerBackend,
  setBackend,
  Tensor,
  tensor1d,
  train,
} from '@tensorflow/tfjs-core';
import {categoricalCrossentropy, ohemStep, sparseCategoricalCrossentropy, topK} from 'ohem-tfjs';
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest';
import {tinyModel, tinyXs, tinyYs} from '../support/tinyModel';

const READS = ['dataSync', 'data', 'arraySync', 'array', 'bytes'] as const;

// The kernels of cpu under the names of backends whose tensors live on a device: what is asked here is whether anybody waits for it.
describe.each(['webgl', 'webgpu'])('ohemStep on a backend called %s', (name) => {
  const reads = READS.map((read) => vi.spyOn(Tensor.prototype, read));
  const countReads = () => reads.reduce((count, read) => count + read.mock.calls.length, 0);

  beforeAll(async () => {
    copyRegisteredKernels('cpu', name);
    registerBackend(name, findBackendFactory('cpu') as () => KernelBackend);
    await setBackend(name);
  });
  afterAll(async () => {
    await setBackend('cpu');
  });

  it('reads nothing back, from the first step on, and says why nothing is pruned', () => {
    const step = ohemStep(tinyModel(), {
      loss: categoricalCrossentropy(),
      select: topK({k: 2}),
      optimizer: train.adam(0.1),
    });
    const [xs, ys] = [tinyXs(), tinyYs()];
    const before = countReads();
    for (let t = 0; t < 5; t++) step(xs, ys).dispose();
    expect(countReads() - before).toBe(0);
    expect(step.strategy).toBe('recompute');
    expect(step.why).toContain(`not pruned, since trying it would wait for ${name}`);
  });

  it('leaks nothing', () => {
    const step = ohemStep(tinyModel(), {loss: categoricalCrossentropy(), optimizer: train.adam(0.1)});
    const [xs, ys] = [tinyXs(), tinyYs()];
    step(xs, ys).dispose();
    const before = memory().numTensors;
    for (let t = 0; t < 500; t++) step(xs, ys).dispose();
    expect(memory().numTensors).toBe(before);
  });

  it('counts labels that are out of range as losses that are not finite, since looking for them would wait', async () => {
    const step = ohemStep(tinyModel(), {
      loss: sparseCategoricalCrossentropy(),
      select: topK({k: 6}),
      optimizer: train.sgd(0.1),
    });
    const {kept, nonFinite} = await step(tinyXs(), tensor1d([0, 1, 7, 0, -1, 1], 'int32')).read();
    expect([kept, nonFinite]).toEqual([4, 2]);
  });

  it(`${name === 'webgl' ? 'prunes where that is asked for, for one read' : 'does not prune even where that is asked for'}`, () => {
    const step = ohemStep(tinyModel(), {
      loss: categoricalCrossentropy(),
      select: topK({k: 2}),
      optimizer: train.sgd(0.1),
      backward: 'pruned',
    });
    const [xs, ys] = [tinyXs(), tinyYs()];
    const before = countReads();
    for (let t = 0; t < 3; t++) step(xs, ys).dispose();
    expect([step.strategy, countReads() - before]).toEqual(name === 'webgl' ? ['pruned', 1] : ['masked', 0]);
  });
});
