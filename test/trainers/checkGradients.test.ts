import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import {all, checkGradients, hardNegatives, meanSquaredError, randomK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import '../support/backends';
import {SPECIMENS} from '../support/models';
import {changed, plantBackend} from '../support/plantedBackend';
import {repeatably} from '../support/property';
import {heldBy} from '../support/untouched';

const loss = meanSquaredError();

/** Two convolutions and a dense layer, without draws. */
const convolutions = (...more: tf.serialization.Serializable[]): LayersModel =>
  repeatably(() =>
    sequential({
      layers: [
        layers.conv2d({name: 'first', filters: 3, kernelSize: 3, activation: 'relu', inputShape: [6, 6, 1]}),
        ...(more as ReturnType<typeof layers.dense>[]),
        layers.flatten(),
        layers.dense({name: 'last', units: 2, activation: 'softmax'}),
      ],
    }),
  );
const images = () => tf.randomNormal([8, 6, 6, 1], 0, 1, 'float32', 3);
const labels = () => tf.oneHot(tf.tensor1d([0, 1, 0, 1, 1, 0, 0, 1], 'int32'), 2);

let remove: () => void = () => {};
const plant = (kernel: string, change: (value: number) => number) => {
  remove = plantBackend('planted', {kernel, by: changed(change)});
};

beforeAll(async () => {
  await tf.setBackend('cpu');
});
afterEach(async () => {
  await tf.setBackend('cpu');
  remove();
  remove = () => {};
});

describe('checkGradients on wasm', () => {
  let takeBack: () => void;
  beforeAll(() => {
    takeBack = enableWasmTraining();
  });
  afterAll(() => takeBack());

  it.each(SPECIMENS.map((specimen) => [specimen.name, specimen] as const))(
    'says that all is well: %s',
    async (_, {build, xs, ys}) => {
      await tf.setBackend('wasm');
      const {agrees, backend, weights, text} = await checkGradients(build(), xs(12), ys(12), {loss});
      expect({agrees, backend}).toEqual({agrees: true, backend: 'wasm'});
      expect(weights.length).toBeGreaterThan(0);
      expect(text).toMatch(/^wasm agrees with cpu: no gradient is off by more than [\d.e-]+ % of its largest entry\.$/);
    },
  );

  it('checks the given backend, from any other', async () => {
    const {backend, agrees} = await checkGradients(convolutions(), images(), labels(), {loss, backend: 'wasm'});
    expect([backend, agrees, tf.getBackend()]).toEqual(['wasm', true, 'cpu']);
  });
});

describe('checkGradients on stock wasm', () => {
  it('says which kernel is missing, and what to do', async () => {
    const {agrees, weights, text} = await checkGradients(convolutions(), images(), labels(), {loss, backend: 'wasm'});
    expect({agrees, weights}).toEqual({agrees: false, weights: []});
    expect(text).toBe(
      "wasm cannot compute the gradients: Kernel 'Conv2DBackpropFilter' not registered for backend 'wasm'. Call enableWasmTraining() of ohem-tfjs/wasm, or train on another backend.",
    );
  });

  it('finds the gradient of max pooling that is lost', async () => {
    const negative = repeatably(() =>
      sequential({
        layers: [
          layers.dense({name: 'before', units: 2, inputShape: [4, 4, 1]}),
          layers.maxPooling2d({poolSize: 2}),
          layers.flatten(),
          layers.dense({units: 2, activation: 'softmax'}),
        ],
      }),
    );
    negative.setWeights([tf.fill([1, 2], -1), tf.fill([2], -9), ...negative.getWeights().slice(2)]);
    const xs = tf.randomUniform([8, 4, 4, 1], 0, 1, 'float32', 5);
    const {agrees, text} = await checkGradients(negative, xs, labels(), {loss, backend: 'wasm'});
    expect(agrees).toBe(false);
    expect(text).toMatch(
      /^wasm computes a wrong gradient for before\/(kernel|bias) and 1 more of 4 weights: off by up to/,
    );
  });
});

describe('checkGradients on a backend with a planted fault', () => {
  it('names the weight whose gradient is all 0', async () => {
    plant('Conv2DBackpropFilter', () => 0);
    await tf.setBackend('planted');
    const {agrees, backend, weights, text} = await checkGradients(convolutions(), images(), labels(), {loss});
    expect({agrees, backend}).toEqual({agrees: false, backend: 'planted'});
    expect(text).toBe(
      'planted computes a wrong gradient for first/kernel: off by up to 100 % of the largest entry. Train on another backend.',
    );
    expect(weights[0]).toEqual({name: 'first/kernel', difference: 1});
    expect(weights.slice(1).every(({difference}) => difference === 0)).toBe(true);
    expect(weights.map(({name}) => name).sort()).toEqual(['first/bias', 'first/kernel', 'last/bias', 'last/kernel']);
  });

  it('finds a gradient that is 3 % too large, unless that is tolerated', async () => {
    plant('Conv2DBackpropFilter', (value) => 1.03 * value);
    const check = (tolerance: number) =>
      checkGradients(convolutions(), images(), labels(), {loss, backend: 'planted', tolerance});
    const {agrees, weights} = await check(0.01);
    expect(agrees).toBe(false);
    expect(weights[0]?.difference).toBeCloseTo(0.03, 5);
    expect((await check(0.04)).agrees).toBe(true);
  });

  it('finds a gradient that is not finite', async () => {
    plant('Conv2DBackpropFilter', () => Number.NaN);
    const {weights, text} = await checkGradients(convolutions(), images(), labels(), {loss, backend: 'planted'});
    expect(weights[0]).toEqual({name: 'first/kernel', difference: Infinity});
    expect(text).toBe('planted computes a wrong gradient for first/kernel: not finite. Train on another backend.');
  });

  it('finds a fault of the forward pass in the weights behind it', async () => {
    plant('Relu', (value) => 2 * value);
    const {agrees, text} = await checkGradients(
      convolutions(layers.activation({activation: 'relu'})),
      images(),
      labels(),
      {
        ...{loss, backend: 'planted'},
      },
    );
    expect(agrees).toBe(false);
    expect(text).toMatch(
      /^planted computes a wrong gradient for \w+\/\w+ and \d more of 4 weights: off by up to \d+ % /,
    );
  });

  it('finds it with dropout and noise in the model, and with rows picked at random', async () => {
    const drawing = () => convolutions(layers.dropout({rate: 0.5}), layers.gaussianNoise({stddev: 1}));
    const options = {loss, select: randomK({ratio: 0.5}), backend: 'planted'};
    plant('Conv2DBackpropFilter', (value) => value);
    expect((await checkGradients(drawing(), images(), labels(), options)).weights[0]?.difference).toBe(0);
    remove();
    plant('Conv2DBackpropFilter', () => 0);
    expect((await checkGradients(drawing(), images(), labels(), options)).weights[0]?.name).toBe('first/kernel');
  });
});

describe('checkGradients', () => {
  it.each(['pruned', 'masked', 'recompute'] as const)('runs backward as the step would: %s', async (backward) => {
    plant('Conv2DBackpropFilter', () => 0);
    const options = {loss, backward, backend: 'planted'};
    // What recomputes waits for a read to prove that a loss goes row by row: ours promises it.
    expect((await checkGradients(convolutions(), images(), labels(), options)).weights[0]?.name).toBe('first/kernel');
  });

  it('draws the same numbers on both backends, and leaves Math.random as it was', async () => {
    const {random} = Math;
    const noisy = convolutions(layers.dropout({rate: 0.3}), layers.gaussianNoise({stddev: 0.5}));
    const {agrees} = await checkGradients(noisy, images(), labels(), {loss, select: all(), backend: 'cpu'});
    expect(agrees).toBe(true);
    expect(Math.random).toBe(random);
  });

  it('leaves model, optimizer, states, tensors and the backend in use as they were', async () => {
    const x = input({batchShape: [4, 3, 2]});
    const init = {recurrentInitializer: 'glorotNormal'} as const;
    const chain = [
      layers.lstm({units: 3, stateful: true, dropout: 0.5, returnSequences: true, ...init}),
      layers.batchNormalization(),
      layers.gru({units: 3, stateful: true, ...init}),
      layers.dense({units: 1}),
    ];
    const outputs = chain.reduce((at, layer) => layer.apply(at) as SymbolicTensor, x as SymbolicTensor);
    const recurrent = modelOf({inputs: x, outputs});
    recurrent.compile({optimizer: 'adam', loss: 'meanSquaredError'});
    const [xs, ys] = [tf.randomNormal([4, 3, 2]), tf.randomNormal([4, 1])];
    // With states that are not 0, and slots.
    await recurrent.trainOnBatch(xs, ys);
    const positive = tf.tensor1d([1, 0, 0, 1]);
    const check = () =>
      checkGradients(recurrent, xs, ys, {
        select: hardNegatives(),
        batch: {positive, sampleWeight: [1, 2, 1, 2]},
        backend: 'wasm',
      });
    // The dropout of the step before is kept until the next.
    await check();
    const before = await heldBy(recurrent, xs, ys, positive);
    expect(before.states.flat().some((value) => value !== 0)).toBe(true);
    expect((await check()).agrees).toBe(true);
    expect(await heldBy(recurrent, xs, ys, positive)).toEqual(before);
  });

  it('leaves all of it as it was if the backend fails', async () => {
    const failing = convolutions();
    failing.compile({optimizer: 'adam', loss: 'meanSquaredError'});
    const [xs, ys] = [images(), labels()];
    const before = await heldBy(failing, xs, ys);
    expect((await checkGradients(failing, xs, ys, {backend: 'wasm'})).agrees).toBe(false);
    expect(await heldBy(failing, xs, ys)).toEqual(before);
    await expect(checkGradients(failing, xs, ys, {select: hardNegatives(), backend: 'wasm'})).rejects.toThrow(
      /^hardNegatives: positive must be in the context/,
    );
    expect(await heldBy(failing, xs, ys)).toEqual(before);
  });

  it('names the variable of a function whose gradient is wrong', async () => {
    plant('Conv2DBackpropFilter', () => 0);
    const filter = tf.variable(tf.randomNormal<tf.Rank.R4>([3, 3, 1, 2]), true, 'filter');
    const scale = tf.variable(tf.ones([2]), true, 'scale');
    const predict = (xs: tf.Tensor4D) =>
      tf.softmax(tf.mul(tf.mean(tf.conv2d(xs, filter as tf.Tensor4D, 1, 'valid'), [1, 2]), scale));
    const model = {predict, variables: [filter, scale]};
    const {weights} = await checkGradients(model, images(), labels(), {loss, backend: 'planted', tolerance: null});
    expect(weights[0]).toEqual({name: 'filter', difference: 1});
    expect(weights[1]?.name).toBe('scale');
    expect(weights[1]?.difference).toBeLessThan(1e-6);
  });

  it('has nothing to check on cpu', async () => {
    const {agrees, text} = await checkGradients(convolutions(), images(), labels(), {loss});
    expect(agrees).toBe(true);
    expect(text).toBe('cpu is the reference for other backends: there is nothing to check.');
  });

  it('refuses a model that draws numbers of its own, since nothing could be compared', async () => {
    const drawing = convolutions();
    let draws = 0;
    const own = Object.assign((yTrue: tf.Tensor, yPred: tf.Tensor) => tf.mul(loss(yTrue, yPred), ++draws), {});
    await expect(checkGradients(drawing, images(), labels(), {loss: own, backend: 'wasm'})).rejects.toThrow(
      /^checkGradients: model must give the same gradients twice, got different ones for \w+\/\w+\. /,
    );
  });

  it('refuses a batch that tells nothing', async () => {
    const constant = (_: tf.Tensor, yPred: tf.Tensor) => tf.mul(tf.sum(yPred, 1), 0);
    await expect(checkGradients(convolutions(), images(), labels(), {loss: constant})).rejects.toThrow(
      new RangeError(
        'checkGradients: xs must give gradients other than 0 on cpu, got only 0. Use other rows, or another loss.',
      ),
    );
  });

  it('refuses a model in training, and backends that are not there', async () => {
    const busy = convolutions();
    Object.assign(busy, {isTraining: true});
    await expect(checkGradients(busy, images(), labels(), {loss})).rejects.toThrow(
      new TypeError(
        'checkGradients: model must be trained by one call at a time, got one in training. Await the other call.',
      ),
    );
    await expect(checkGradients(convolutions(), images(), labels(), {loss, backend: 'webgpu'})).rejects.toThrow(
      /^checkGradients: backend must be registered: .*cpu.*, got webgpu\. Import @tensorflow\/tfjs-backend-webgpu first\.$/,
    );
  });
});
