import {
  getBackend,
  log,
  memory,
  mul,
  neg,
  oneHot,
  reshape,
  type Scalar,
  sum,
  type Tensor,
  tensor,
  tensor1d,
  tensor3d,
  tensor4d,
  tidy,
  train,
  type Variable,
  variableGrads,
} from '@tensorflow/tfjs-core';
import {layers, type Sequential, sequential} from '@tensorflow/tfjs-layers';
import {ohemStep, sparseCategoricalCrossentropy, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {randomFrom} from '../support/property';
import {recordingOptimizer} from '../support/recordingOptimizer';
import {largestRows} from '../support/selections';
import {weightValues} from '../support/tinyModel';

const CLASSES = 3;
const IGNORED = 255;
const SIZE = 5;
const CLOSE = {absolute: 1e-6, relative: 1e-4};

/** A small network that gives each pixel its class, with weights from a seed. */
function pixelNetwork(): Sequential {
  const model = sequential({
    layers: [
      layers.conv2d({filters: 4, kernelSize: 3, padding: 'same', activation: 'relu', inputShape: [SIZE, SIZE, 2]}),
      layers.conv2d({filters: CLASSES, kernelSize: 1, activation: 'softmax'}),
    ],
  });
  const random = randomFrom(5);
  tidy(() => {
    model.setWeights(
      model.getWeights().map(({shape, size}) => {
        return tensor(
          Array.from({length: size}, () => random() - 0.5),
          shape,
        );
      }),
    );
  });
  return model;
}

/** Images with the class of each pixel; a border that grows from image to image is ignored. */
function images(batchSize: number, isIgnored: (image: number, row: number, column: number) => boolean) {
  const random = randomFrom(batchSize);
  const xs = Array.from({length: batchSize * SIZE * SIZE * 2}, () => 2 * random() - 1);
  const labels = Array.from({length: batchSize * SIZE * SIZE}, (_, pixel) => {
    const [image, place] = [Math.floor(pixel / SIZE ** 2), pixel % SIZE ** 2];
    const label = Math.floor(CLASSES * random());
    return isIgnored(image, Math.floor(place / SIZE), place % SIZE) ? IGNORED : label;
  });
  return {
    xs: tensor4d(xs, [batchSize, SIZE, SIZE, 2]),
    ys: tensor3d(labels, [batchSize, SIZE, SIZE], 'int32'),
    labels,
  };
}

/**
 * The mean crossentropy of the hardest pixels, written out: which they are is found in plain
 * JavaScript, and their gradient by tfjs.
 */
function explicit(model: Sequential, xs: Tensor, labels: number[], ratio: number) {
  const probabilities = tidy(() => [...(model.predict(xs) as Tensor).dataSync()]);
  const losses = labels.map((label, pixel) =>
    label === IGNORED ? 0 : -Math.log(probabilities[pixel * CLASSES + label] as number),
  );
  const counted = labels.map((label) => (label === IGNORED ? 0 : 1));
  const kept = largestRows(losses, {ratio}, counted);
  const mask = labels.map((_, pixel) => (kept.includes(pixel) ? 1 / kept.length : 0));
  const variables = model.trainableWeights.map((weight) => weight.read() as Variable);
  const {value, grads} = variableGrads(
    () =>
      tidy(() => {
        const truth = oneHot(
          tensor1d(
            labels.map((label) => (label === IGNORED ? 0 : label)),
            'int32',
          ),
          CLASSES,
        );
        const predicted = reshape(model.apply(xs, {training: true}) as Tensor, [labels.length, CLASSES]);
        return sum(mul(neg(sum(mul(truth, log(predicted)), 1)), tensor1d(mask))) as Scalar;
      }),
    variables,
  );
  return {losses, kept, loss: value, gradients: variables.map(({name}) => grads[name] as Tensor)};
}

describeOnBackends('Segmentation by ohemStep', (backendName) => {
  let takeBack = () => {};
  beforeAll(() => {
    expect(getBackend()).toBe(backendName);
    if (backendName === 'wasm') takeBack = enableWasmTraining();
  });
  afterAll(() => takeBack());

  const batches: Record<string, Parameters<typeof images>> = {
    'whose borders are ignored': [3, (image, row, column) => Math.min(row, column) < image],
    'one of which is ignored': [2, (image) => image === 0],
    'of which there is one': [1, (_, row) => row === 2],
    'without ignored pixels': [2, () => false],
  };

  describe.each([0.25, 0.01, 1])('of the hardest %d of all pixels', (ratio) => {
    it.each(Object.keys(batches))('takes the gradient of the loss written out, for images %s', async (name) => {
      const model = pixelNetwork();
      const {xs, ys, labels} = images(...(batches[name] as Parameters<typeof images>));
      const expected = explicit(model, xs, labels, ratio);
      const recorder = recordingOptimizer();
      const step = ohemStep(model, {
        loss: sparseCategoricalCrossentropy({ignoreLabel: IGNORED}),
        select: topK({ratio}),
        optimizer: recorder.optimizer,
        granularity: 'element',
      });
      const report = step(xs, ys);
      expectClose(report.losses, expected.losses, CLOSE);
      const places = [...report.selection.indices.dataSync()];
      const weights = report.selection.weights.dataSync();
      expect(places.filter((_, place) => weights[place] === 1)).toEqual(expected.kept);
      expectClose(report.loss, expected.loss, CLOSE);
      expect(recorder.gradients).toHaveLength(4);
      recorder.gradients.forEach((gradient, i) => {
        expectClose(gradient, expected.gradients[i] as Tensor, CLOSE);
      });
      expect((await report.read()).kept).toBe(expected.kept.length);
    });
  });

  it('changes nothing where every pixel is ignored, and leaks nothing in 300 steps', async () => {
    const model = pixelNetwork();
    const step = ohemStep(model, {
      loss: sparseCategoricalCrossentropy({ignoreLabel: IGNORED}),
      select: topK({ratio: 0.25}),
      optimizer: train.momentum(0.1, 0.9),
      granularity: 'element',
    });
    const [usual, ignored] = [images(2, (image) => image === 1), images(2, () => true)];
    step(usual.xs, usual.ys).dispose();
    const before = weightValues(model);
    const {kept, loss, batchLoss, nonFinite} = await step(ignored.xs, ignored.ys).read();
    expect([kept, loss, batchLoss, nonFinite]).toEqual([0, 0, 0, 0]);
    expect(weightValues(model)).toEqual(before);
    const tensors = memory().numTensors;
    for (let t = 0; t < 150; t++) for (const {xs, ys} of [usual, ignored]) step(xs, ys).dispose();
    expect(memory().numTensors).toBe(tensors);
    expect(weightValues(model).flat().every(Number.isFinite)).toBe(true);
  });
});
