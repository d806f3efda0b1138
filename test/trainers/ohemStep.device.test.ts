import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import {
  copyRegisteredKernels,
  env,
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
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const WEBGL_FLAGS = ['TOPK_LAST_DIM_CPU_HANDOFF_SIZE_THRESHOLD', 'TOPK_K_CPU_HANDOFF_THRESHOLD'];
const READS = ['dataSync', 'data', 'arraySync', 'array', 'bytes'] as const;

// The kernels of cpu under the names of backends whose tensors live on a device: what is asked here is whether anybody waits for it.
describe.each(['webgl', 'webgpu'])('ohemStep on a backend called %s', (name) => {
  const reads = READS.map((read) => vi.spyOn(Tensor.prototype, read));
  const countReads = () => reads.reduce((count, read) => count + read.mock.calls.length, 0);
  const spied = (read: (typeof READS)[number]) => reads[READS.indexOf(read)]?.mock.calls.length;
  const crossentropy = {loss: categoricalCrossentropy(), optimizer: train.sgd(0.1)};

  beforeAll(async () => {
    copyRegisteredKernels('cpu', name);
    // As the backend of that name does.
    if (name === 'webgl') for (const flag of WEBGL_FLAGS) env().registerFlag(flag, () => 100);
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
    expect(step.why).toContain(`not pruned, since trying it would wait for ${name}, unless by step.prepare()`);
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

  it('does not prune where that is asked for, since trying it would wait', () => {
    const step = ohemStep(tinyModel(), {...crossentropy, select: topK({k: 2}), backward: 'pruned'});
    const [xs, ys] = [tinyXs(), tinyYs()];
    const before = countReads();
    for (let t = 0; t < 3; t++) step(xs, ys).dispose();
    expect([step.strategy, countReads() - before]).toEqual(['masked', 0]);
  });

  it('prunes once it is prepared, which reads two numbers, together and without blocking, and trains nothing', async () => {
    const model = tinyModel();
    const step = ohemStep(model, {...crossentropy, select: topK({k: 2})});
    const [xs, ys] = [tinyXs(), tinyYs()];
    const weights = weightValues(model);
    const before = {reads: countReads(), tensors: memory().numTensors};
    const blocking = spied('dataSync');
    await step.prepare(xs, ys);
    expect(spied('dataSync')).toBe(blocking);
    expect([countReads() - before.reads, memory().numTensors]).toEqual([1, before.tensors]);
    expect(weightValues(model)).toEqual(weights);
    await step.prepare(xs, ys);
    const prepared = countReads();
    for (let t = 0; t < 3; t++) step(xs, ys).dispose();
    expect([step.strategy, countReads() - prepared]).toEqual(['pruned', 0]);
  });

  it('is prepared with a batch that it would take, and refuses another before anything is read', async () => {
    const step = ohemStep(tinyModel(), {...crossentropy, select: topK({k: 2})});
    const [before, tensors] = [countReads(), memory().numTensors];
    const [xs, ys] = [tinyXs(), tensor1d([1, 0])];
    await expect(step.prepare(xs, ys)).rejects.toThrow('ohemStep: ys must have as many rows as xs, 6, got 2.');
    step.dispose();
    await expect(step.prepare(xs, tinyYs())).rejects.toThrow('ohemStep: the step must not be called after dispose().');
    expect(countReads()).toBe(before);
    expect(memory().numTensors - tensors).toBe(3);
  });
});
