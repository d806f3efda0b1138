import {memory, oneHot, randomNormal, setBackend, tensor1d, tensor2d, tidy, train} from '@tensorflow/tfjs-core';
import {input, layers, model, type Sequential, type SymbolicTensor, sequential} from '@tensorflow/tfjs-layers';
import {categoricalCrossentropy, halfSquaredError, ohemStep, topK, weightedSum} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterEach, expect, it} from 'vitest';
import {expectClose} from '../support/close';
import {inProduction} from '../support/tensors';
import {describeOnBackends} from './support/backends';
import {type DeviceReads, deviceReads} from './support/deviceReads';

enableWasmTraining();

const STEPS = 500;

const seeded = (seed: number) => ({kernelInitializer: {className: 'GlorotNormal', config: {seed}} as never});
const smallModel = (): Sequential =>
  sequential({
    layers: [
      layers.dense({units: 16, activation: 'relu', inputShape: [8], ...seeded(1)}),
      layers.dense({units: 4, activation: 'softmax', ...seeded(2)}),
    ],
  });
const xsOf = (rows: number) => randomNormal([rows, 8], 0, 1, 'float32', 3);
const ysOf = (rows: number) =>
  tidy(() =>
    oneHot(
      tensor1d(
        Int32Array.from({length: rows}, (_, row) => (row * 7 + 2) % 4),
        'int32',
      ),
      4,
    ),
  );

/** Whether reading from a backend waits for a device. */
const isGpu = (backend: string) => backend.startsWith('webg');

describeOnBackends('ohemStep', (backend) => {
  let reads: DeviceReads | undefined;
  afterEach(() => reads?.stop());

  it.each(['masked', 'recompute', 'pruned', 'auto'] as const)(
    'reads nothing from a GPU in a step by %s, and takes that way from the first step on',
    async (backward) => {
      const step = ohemStep(smallModel(), {
        loss: categoricalCrossentropy(),
        // More than 128 of fewer than 100,000: these the `topk` of webgl would read.
        select: topK({k: 200}),
        optimizer: train.momentum(0.01, 0.9),
        backward,
      });
      const [xs, ys] = [xsOf(256), ysOf(256)];
      reads = deviceReads();
      inProduction(() => {
        for (let t = 0; t < 3; t++) step(xs, ys).dispose();
      });
      expect(step.strategy).toBe(backward === 'auto' ? 'pruned' : backward);
      if (isGpu(backend)) expect(reads.count()).toBe(0);
      const {loss} = await step(xs, ys).read();
      expect(loss).toBeGreaterThan(0);
      expect(reads.count()).toBeGreaterThan(0);
    },
  );

  it('adds up eight outputs, losses of eight parts and the norm of sixteen gradients as on cpu', async () => {
    // A kernel of webgpu takes seven tensors. It makes zeros of more, and says nothing.
    const learned = async (on: string) => {
      await setBackend(on);
      const x = input({shape: [3]});
      const eight = [...Array(8).keys()];
      const outputs = eight.map((i) => layers.dense({units: 2, ...seeded(i + 1)}).apply(x) as SymbolicTensor);
      const wide = model({inputs: x, outputs});
      const step = ohemStep(wide, {
        loss: weightedSum(eight.map((i) => ({loss: halfSquaredError(), weight: 1 + i}))),
        select: topK({k: 3}),
        optimizer: train.sgd(0.1),
        clipNorm: 2,
      });
      const xs = tensor2d(
        Array.from({length: 18}, (_, i) => Math.sin(i)),
        [6, 3],
      );
      const ys = eight.map((i) =>
        tensor2d(
          Array.from({length: 12}, (_, j) => Math.cos(i + j)),
          [6, 2],
        ),
      );
      const {loss} = await step(xs, ys).read();
      const weights = await Promise.all(wide.getWeights().map((weight) => weight.data()));
      return [loss, ...weights.flatMap((values) => [...values])];
    };
    const [onCpu, here] = [await learned('cpu'), await learned(backend)];
    expectClose(here, onCpu, {absolute: 1e-5, relative: 1e-4});
    expect(Math.max(...onCpu.map((value) => Math.abs(value)))).toBeGreaterThan(0.1);
  });

  it(`learns, and neither reads nor leaks over ${STEPS} steps`, async () => {
    // One layer: a step is some 150 kernels whatever the model, and a GPU made of software takes
    // its time for each.
    const model = sequential({
      layers: [layers.dense({units: 4, activation: 'softmax', inputShape: [8], ...seeded(1)})],
    });
    const step = ohemStep(model, {
      loss: categoricalCrossentropy(),
      select: topK({ratio: 0.5}),
      optimizer: train.momentum(0.1, 0.9),
      backward: 'masked',
    });
    const [xs, ys] = [xsOf(16), ysOf(16)];
    const {batchLoss: first} = await step(xs, ys).read();
    reads = deviceReads();
    const {numTensors, numBytes} = memory();
    inProduction(() => {
      for (let t = 0; t < STEPS; t++) step(xs, ys).dispose();
    });
    if (isGpu(backend)) expect(reads.count()).toBe(0);
    expect(memory()).toMatchObject({numTensors, numBytes});
    expect((await step(xs, ys).read()).batchLoss).toBeLessThan(first);
  });
});
