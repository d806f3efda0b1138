import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import {hardNegatives, type Selector, suggestBackend, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import '../support/backends';
import {changed, plantBackend} from '../support/plantedBackend';
import {heldBy} from '../support/untouched';

const compiled = (of: LayersModel): LayersModel => {
  of.compile({optimizer: 'adam', loss: 'meanSquaredError'});
  return of;
};
const dense = () =>
  compiled(
    sequential({layers: [layers.dense({units: 8, inputShape: [3], activation: 'tanh'}), layers.dense({units: 1})]}),
  );
const convolution = () =>
  compiled(
    sequential({
      layers: [
        layers.conv2d({filters: 2, kernelSize: 2, inputShape: [4, 4, 1]}),
        layers.flatten(),
        layers.dense({units: 1}),
      ],
    }),
  );
const batch = () => [tf.randomNormal([6, 3], 0, 1, 'float32', 1), tf.randomNormal([6, 1], 0, 1, 'float32', 2)] as const;
const images = () => [tf.randomNormal([6, 4, 4, 1], 0, 1, 'float32', 1), tf.ones([6, 1])] as const;
/** Enough to try everything, and no more. */
const BRIEFLY = {steps: 3, seconds: 0.05};

const undo: (() => void)[] = [];
/** A backend that takes at least some milliseconds for a product. */
function plantSlow(milliseconds: number): void {
  undo.push(
    plantBackend('slow', {
      kernel: 'BatchMatMul',
      by: (stock) => (given) => {
        const end = tf.util.now() + milliseconds;
        while (tf.util.now() < end);
        return stock(given);
      },
    }),
  );
}

beforeEach(async () => {
  await tf.setBackend('cpu');
});
afterEach(async () => {
  await tf.setBackend('cpu');
  for (const each of undo.splice(0)) each();
  vi.restoreAllMocks();
});

describe('suggestBackend', () => {
  it('times every backend that is registered, and suggests the fastest', async () => {
    plantSlow(20);
    const {backend, figures, text} = await suggestBackend(dense(), ...batch(), BRIEFLY);
    expect(figures.map((figure) => figure.backend).sort()).toEqual(['cpu', 'slow', 'wasm']);
    expect(figures[2]?.backend).toBe('slow');
    expect(figures[0]?.backend).toBe(backend);
    const times = figures.map(({milliseconds}) => milliseconds as number);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    // Two products forward, and at least two back.
    expect(times[2]).toBeGreaterThan(80);
    expect(times[0]).toBeGreaterThan(0);
    expect(text).toMatch(/^A step takes [\d.]+ ms on (cpu|wasm); (cpu|wasm) takes [\d.]+ ms; slow takes [\d.]+ ms\.$/);
  });

  it('tries the given ones, however slow they are, within their time', async () => {
    plantSlow(20);
    let steps = 0;
    const counting: Selector = (losses) => {
      steps++;
      return topK({k: 2})(losses);
    };
    const options = {backends: ['slow'], select: counting, seconds: 0.03, steps: 1000};
    const {backend, figures} = await suggestBackend(dense(), ...batch(), options);
    expect(backend).toBe('slow');
    expect(figures[0]?.milliseconds).toBeGreaterThan(80);
    // One in each round.
    expect(steps).toBe(3);
  });

  it('says why a backend takes no step: a kernel is missing', async () => {
    const {backend, figures, text} = await suggestBackend(convolution(), ...images(), BRIEFLY);
    expect(backend).toBe('cpu');
    expect(figures[1]).toEqual({
      backend: 'wasm',
      error:
        "Kernel 'Conv2DBackpropFilter' not registered for backend 'wasm'. Call enableWasmTraining() from " +
        "'ohem-tfjs/wasm' first.",
    });
    expect(text).toMatch(
      /^A step takes [\d.]+ ms on cpu; wasm failed: Kernel 'Conv2DBackpropFilter' not registered for backend 'wasm'\. Call enableWasmTraining\(\) from 'ohem-tfjs\/wasm' first\.$/,
    );
  });

  it('times wasm where its kernels are registered', async () => {
    undo.push(enableWasmTraining());
    const {figures} = await suggestBackend(convolution(), ...images(), BRIEFLY);
    expect(figures.map(({error}) => error)).toEqual([undefined, undefined]);
  });

  it('says why a backend takes no step: it does not start, or computes nothing that is finite', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    tf.registerBackend('absent', () => Promise.reject(new Error('no device')), 0);
    undo.push(() => tf.removeBackend('absent'));
    undo.push(plantBackend('broken', {kernel: 'BatchMatMul', by: changed(() => Number.NaN)}));
    const {figures} = await suggestBackend(dense(), ...batch(), BRIEFLY);
    expect(figures.slice(2).sort((a, b) => a.backend.localeCompare(b.backend))).toEqual([
      {backend: 'absent', error: 'the backend absent does not start'},
      {backend: 'broken', error: 'the step changed nothing, because losses or gradients were not finite'},
    ]);
    expect(tf.getBackend()).toBe('cpu');
  });

  it.each(['cpu', 'wasm'])(
    'leaves model, optimizer, states, tensors and the backend in use as they were on %s',
    async (home) => {
      await tf.setBackend(home);
      const x = input({batchShape: [4, 3, 2]});
      const chain = [
        layers.simpleRNN({
          units: 3,
          stateful: true,
          dropout: 0.5,
          returnSequences: true,
          recurrentInitializer: 'glorotNormal',
        }),
        layers.batchNormalization(),
        layers.flatten(),
        layers.dense({units: 1}),
      ];
      const outputs = chain.reduce((at, layer) => layer.apply(at) as SymbolicTensor, x as SymbolicTensor);
      const recurrent = compiled(modelOf({inputs: x, outputs}));
      const [xs, ys, positive] = [tf.randomNormal([4, 3, 2]), tf.randomNormal([4, 1]), tf.tensor1d([1, 0, 0, 1])];
      await recurrent.trainOnBatch(xs, ys);
      const suggest = () =>
        suggestBackend(recurrent, xs, ys, {
          ...BRIEFLY,
          select: hardNegatives(),
          batch: {positive, sampleWeight: [1, 2, 1, 2]},
        });
      // The dropout of the step before is kept until the next.
      await suggest();
      const before = await heldBy(recurrent, xs, ys, positive);
      expect(before.states.flat().some((value) => value !== 0)).toBe(true);
      expect(before.slots.length).toBeGreaterThan(0);
      expect((await suggest()).figures.map(({error}) => error)).toEqual([undefined, undefined]);
      expect(await heldBy(recurrent, xs, ys, positive)).toEqual(before);
    },
  );

  it('trains on as if it had never been called', async () => {
    const [one, other] = [dense(), dense()];
    other.setWeights(one.getWeights());
    const [xs, ys] = batch();
    for (const model of [one, other]) await model.trainOnBatch(xs, ys);
    await suggestBackend(one, xs, ys, BRIEFLY);
    for (const model of [one, other]) await model.trainOnBatch(xs, ys);
    const [weights, expected] = [one, other].map((model) => model.getWeights().map((weight) => [...weight.dataSync()]));
    expect(weights).toEqual(expected);
  });

  it('times a function of variables, and leaves them as they were', async () => {
    const variables = [tf.variable(tf.randomNormal([3, 1])), tf.variable(tf.zeros([1]))] as const;
    const predict = (xs: tf.Tensor2D) => tf.add(tf.matMul(xs, variables[0] as tf.Tensor2D), variables[1]);
    const [xs, ys] = batch();
    const before = [tf.memory().numTensors, ...variables.map(({dataId}) => dataId)];
    const model = {predict, variables: [...variables]};
    const {figures} = await suggestBackend(model, xs, ys, {...BRIEFLY, loss: 'meanSquaredError', optimizer: 'adam'});
    expect(figures.map(({error}) => error)).toEqual([undefined, undefined]);
    expect([tf.memory().numTensors, ...variables.map(({dataId}) => dataId)]).toEqual(before);
    expect(model).not.toHaveProperty('optimizer');
  });

  it('takes null for what is not given, and the name of an optimizer that the model does not get', async () => {
    const model = dense();
    const {optimizer} = model;
    const options = {...BRIEFLY, loss: null, select: null, backends: null, batch: null, optimizer: 'momentum'} as const;
    await expect(suggestBackend(model, ...batch(), options as never)).rejects.toThrow(
      /^suggestBackend: optimizer must be/,
    );
    expect((await suggestBackend(model, ...batch(), {...options, optimizer: 'rmsprop'})).figures).toHaveLength(2);
    expect(model.optimizer).toBe(optimizer);
    // It would not be disposed with the model otherwise.
    expect((model as unknown as {isOptimizerOwned: boolean}).isOptimizerOwned).toBe(true);
  });

  it('throws what the step throws if no backend can take one, and leaves the model as it was', async () => {
    const model = dense();
    const [xs, ys] = batch();
    const before = await heldBy(model, xs, ys);
    await expect(suggestBackend(model, xs, ys, {...BRIEFLY, select: hardNegatives()})).rejects.toThrow(
      /^hardNegatives: positive must be in the context/,
    );
    await expect(suggestBackend(model, xs, ys, {...BRIEFLY, batch: {classWeight: {0: -1}}})).rejects.toThrow(
      /^suggestBackend: classWeight must/,
    );
    const disposed = tf.zeros([6]);
    disposed.dispose();
    await expect(suggestBackend(model, xs, ys, {batch: {positive: disposed}})).rejects.toThrow('Tensor is disposed.');
    expect(await heldBy(model, xs, ys)).toEqual(before);
  });

  it('refuses what it cannot try, before it tries anything', async () => {
    const [xs, ys] = batch();
    const suggest = (options: object) => suggestBackend(dense(), xs, ys, options);
    await expect(suggest({backends: ['cpu', 'webgpu']})).rejects.toThrow(
      /^suggestBackend: backends must be registered: .*cpu.*, got webgpu\. Import @tensorflow\/tfjs-backend-webgpu first\.$/,
    );
    await expect(suggest({backends: []})).rejects.toThrow(
      /^suggestBackend: backends must be a list of names, got \[\]\./,
    );
    await expect(suggest({steps: 0})).rejects.toThrow(/^suggestBackend: steps must be an integer >= 1, got 0\./);
    await expect(suggest({seconds: 0})).rejects.toThrow(
      /^suggestBackend: seconds must be a finite number > 0, got 0\./,
    );
    await expect(suggest({optimizer: {applyGradients() {}}})).rejects.toThrow(
      /^suggestBackend: optimizer must have getConfig\(\) and fromConfig\(\), to be copied, got /,
    );
    await expect(suggestBackend(dense(), ys, ys)).rejects.toThrow(
      /^suggestBackend: xs must have the shape of the input /,
    );
    const busy = Object.assign(dense(), {isTraining: true});
    await expect(suggestBackend(busy, xs, ys)).rejects.toThrow(
      new TypeError(
        'suggestBackend: model must be trained by one call at a time, got one in training. Await the other call.',
      ),
    );
  });
});
