import {getBackend, oneHot, randomNormal, type Tensor, tensor1d} from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {checkGradients, suggestBackend, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expect, it} from 'vitest';
import {heldBy} from '../support/untouched';
import {BACKENDS, describeOnBackends} from './support/backends';

enableWasmTraining();

const smallNetwork = (): LayersModel => {
  const model = sequential({
    layers: [
      layers.conv2d({filters: 4, kernelSize: 3, activation: 'relu', inputShape: [8, 8, 1]}),
      layers.maxPooling2d({poolSize: 2}),
      layers.batchNormalization(),
      layers.flatten(),
      layers.dropout({rate: 0.2}),
      layers.dense({units: 3, activation: 'softmax'}),
    ],
  });
  model.compile({optimizer: 'adam', loss: 'categoricalCrossentropy'});
  return model;
};
const batch = (): [Tensor, Tensor] => [
  randomNormal([12, 8, 8, 1], 0, 1, 'float32', 3),
  oneHot(tensor1d([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2], 'int32'), 3),
];

describeOnBackends('A model that lives', (home) => {
  it('is timed on all backends, and stays where it is', async () => {
    const model = smallNetwork();
    const [xs, ys] = batch();
    await model.trainOnBatch(xs, ys);
    // The first visit starts backends, and makes what they keep.
    const options = {select: topK({ratio: 0.5}), seconds: 0.3, steps: 3};
    await suggestBackend(model, xs, ys, options);
    const before = await heldBy(model, xs, ys);
    const {figures} = await suggestBackend(model, xs, ys, options);
    expect(figures.map(({error}) => error)).toEqual(BACKENDS.map(() => undefined));
    expect(figures.map(({backend}) => backend).sort()).toEqual([...BACKENDS].sort());
    expect(await heldBy(model, xs, ys)).toEqual(before);
    // It trains on, with its slots.
    await model.trainOnBatch(xs, ys);
  });

  it('has the gradients of cpu, also behind dropout', async () => {
    const model = smallNetwork();
    const [xs, ys] = batch();
    const before = await heldBy(model, xs, ys);
    const {agrees, backend, weights, text} = await checkGradients(model, xs, ys);
    expect([agrees, backend, getBackend()], text).toEqual([true, home, home]);
    expect(weights).toHaveLength(6);
    expect(await heldBy(model, xs, ys)).toEqual(before);
  });
});
