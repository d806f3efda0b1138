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
  tensor2d,
  train,
} from '@tensorflow/tfjs-core';
import {
  categoricalCrossentropy,
  diversified,
  ghm,
  iouBalancedNegatives,
  ohemStep,
  selfPacedWeights,
  sparseCategoricalCrossentropy,
  superLoss,
  topK,
  towards,
} from 'ohem-tfjs';
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const WEBGL_FLAGS = ['TOPK_LAST_DIM_CPU_HANDOFF_SIZE_THRESHOLD', 'TOPK_K_CPU_HANDOFF_THRESHOLD'];
const READS = ['dataSync', 'data', 'arraySync', 'array', 'bytes'] as const;

// The kernels of cpu under the names of backends whose tensors live on a device: the question here
// is whether anybody waits for it.
describe.each(['webgl', 'webgpu'])('ohemStep on a backend called %s', (name) => {
  const reads = READS.map((read) => vi.spyOn(Tensor.prototype, read));
  const countReads = () => reads.reduce((count, read) => count + read.mock.calls.length, 0);

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

  it.each(['auto', 'pruned', 'masked', 'recompute'] as const)(
    'reads nothing back by %s, from the first step on, and prunes from the first step on',
    (backward) => {
      const step = ohemStep(tinyModel(), {
        loss: categoricalCrossentropy(),
        select: topK({k: 2}),
        optimizer: train.adam(0.1),
        clipNorm: 1,
        backward,
      });
      const [xs, ys] = [tinyXs(), tinyYs()];
      const before = countReads();
      const strategies = [0, 1, 2].map(() => {
        step(xs, ys).dispose();
        return step.strategy;
      });
      expect(countReads() - before).toBe(0);
      expect(new Set(strategies)).toEqual(new Set([backward === 'auto' ? 'pruned' : backward]));
    },
  );

  it('trains as on the host, where it may look: also on rows that are not finite, and not at all if none is', () => {
    const xs = tensor2d([1, 0, Number.NaN, 1, 2, 0, 0, 2, -1, -1, 1, -2], [6, 2]);
    const none = tensor2d(Array(12).fill(Number.NaN), [6, 2]);
    const trainedOn = (batches: Tensor[]) => {
      const model = tinyModel();
      const step = ohemStep(model, {
        loss: categoricalCrossentropy(),
        select: topK({k: 4}),
        optimizer: train.adam(0.1),
      });
      for (const batch of batches) step(batch, tinyYs()).dispose();
      return weightValues(model);
    };
    expect(trainedOn([xs])).not.toEqual(trainedOn([]));
    expect(trainedOn([none])).toEqual(trainedOn([]));
    expect(trainedOn([xs]).flat().every(Number.isFinite)).toBe(true);
  });

  const validation = {xs: tensor2d([1, 0, 0, 1], [2, 2]), ys: tensor2d([1, 0, 0, 1], [2, 2])};
  const context = {
    overlap: tensor1d([0, 0.1, 0.2, 0.3, 0.4, 0.5]),
    positive: tensor1d([0, 0, 0, 0, 1, 0]),
  };
  it.each(
    Object.entries({
      superLoss: superLoss(),
      ghm: ghm({momentum: 0.5}),
      selfPacedWeights: selfPacedWeights({ratio: 0.5}),
      iouBalancedNegatives: iouBalancedNegatives({k: 2}),
      diversified: diversified({k: 3}),
      towards: towards(validation, {k: 3, learningRate: 0.1}),
    }),
  )('reads nothing back for %s, keeps what it keeps on the host, and leaks nothing', async (_, select) => {
    const steps = () => ohemStep(tinyModel(), {loss: categoricalCrossentropy(), select, optimizer: train.sgd(0.1)});
    const [step, xs, ys] = [steps(), tinyXs(), tinyYs()];
    const take = (taking: typeof step) => taking(xs, ys, context);
    const report = take(step);
    const [indices, weights] = [await report.selection.indices.data(), await report.selection.weights.data()];
    report.dispose();
    for (let t = 0; t < 3; t++) take(step).dispose();
    const before = {reads: countReads(), tensors: memory().numTensors};
    for (let t = 0; t < 3; t++) take(step).dispose();
    expect({reads: countReads(), tensors: memory().numTensors}).toEqual(before);
    step.dispose();
    await setBackend('cpu');
    const onHost = take(steps());
    expect([...onHost.selection.indices.dataSync()]).toEqual([...indices]);
    const near = [...onHost.selection.weights.dataSync()].map((weight, i) => Math.abs(weight - (weights[i] as number)));
    expect(Math.max(...near)).toBeLessThan(1e-6);
    onHost.dispose();
    await setBackend(name);
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
});
