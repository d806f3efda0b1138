import {oneHot, randomNormal, type Tensor, tensor3d, tidy, train, transpose} from '@tensorflow/tfjs-core';
import {
  input,
  layers,
  model as layersModel,
  type Sequential,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import {
  all,
  categoricalCrossentropy,
  type Granularity,
  ohemStep,
  type PerSampleLoss,
  perSampleLosses,
  sparseCategoricalCrossentropy,
  topK,
} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {weightValues} from '../support/tinyModel';
import {trainsOn} from '../support/wasmTraining';

const CLOSE = {absolute: 1e-5, relative: 1e-5};
const CLASSES = 4;

type Last = 'conv' | 'activation' | 'inner' | 'rectified';
const LASTS: Last[] = ['conv', 'activation', 'inner', 'rectified'];

/** A convolution of 1 × 1 with as many classes as the image has columns, and what may follow it. */
function network(dataFormat: 'channelsFirst' | 'channelsLast', last: Last, kernel: Tensor): Sequential {
  const inputShape = dataFormat === 'channelsFirst' ? [2, 3, CLASSES] : [3, CLASSES, 2];
  const conv = layers.conv2d({filters: CLASSES, kernelSize: 1, useBias: false, dataFormat, inputShape});
  const after = {
    conv: [],
    inner: [],
    activation: [layers.activation({activation: 'tanh'}), layers.dropout({rate: 0})],
    rectified: [layers.leakyReLU(), layers.gaussianNoise({stddev: 0})],
  }[last];
  const chain = sequential({layers: [conv, ...after]});
  const weights = chain.getWeights();
  chain.setWeights([kernel, ...weights.slice(1)]);
  return last === 'inner' ? sequential({layers: [chain]}) : chain;
}

const images = () => randomNormal([2, 3, CLASSES, 2], 0, 1, 'float32', 3);
const kernelOf = () => randomNormal([1, 1, 2, CLASSES], 0, 1, 'float32', 4);
const labels = () =>
  tensor3d(
    Array.from({length: 6 * CLASSES}, (_, i) => (i * 5) % CLASSES),
    [2, 3, CLASSES],
    'int32',
  );
const toFirst = (tensor: Tensor): Tensor => transpose(tensor, [0, 3, 1, 2]);
const fromLogits = {fromLogits: true};

describeOnBackends('A model whose images have their channels first, as many as columns,', (backend) => {
  trainsOn(backend);

  /** The losses of a step, and the weights behind it. */
  const taken = (
    format: 'channelsFirst' | 'channelsLast',
    last: Last,
    {loss, ys, granularity = 'element'}: {loss: PerSampleLoss; ys: Tensor; granularity?: Granularity},
  ) =>
    tidy(() => {
      const model = network(format, last, kernelOf());
      const select = granularity === 'element' ? topK({k: 5}) : topK({k: 1});
      const step = ohemStep(model, {loss, select, optimizer: train.sgd(0.1), granularity});
      const xs = format === 'channelsFirst' ? toFirst(images()) : images();
      const {losses, selection} = step(xs, ys);
      const seen = [losses, selection.indices].map((values) => [...values.dataSync()]);
      return {losses: seen[0], kept: seen[1], weights: weightValues(model).flat()} as never;
    }) as {losses: number[]; kept: number[]; weights: number[]};

  it.each(LASTS.flatMap((last) => (['element', 'sample'] as const).map((granularity) => ({last, granularity}))))(
    'is mined as one with channels last (last layer: $last, $granularity)',
    ({last, granularity}) => {
      const sparse = sparseCategoricalCrossentropy(fromLogits);
      const expected = taken('channelsLast', last, {loss: sparse, ys: labels(), granularity});
      const oneHots = oneHot(labels(), CLASSES);
      for (const [loss, ys] of [
        [sparse, labels()],
        [categoricalCrossentropy(fromLogits), toFirst(oneHots)],
      ] as const) {
        const {losses, kept, weights} = taken('channelsFirst', last, {loss, ys, granularity});
        expectClose(losses, expected.losses, CLOSE);
        expect(kept).toEqual(expected.kept);
        expectClose(weights, expected.weights, CLOSE);
      }
    },
  );

  it('leaves a function of the user the format of the model when rows are mined', () => {
    const shapes: number[][] = [];
    const sparse = sparseCategoricalCrossentropy(fromLogits);
    const own: PerSampleLoss = (yTrue, yPred) => {
      shapes.push(yPred.shape);
      return sparse(yTrue, transpose(yPred, [0, 2, 3, 1]));
    };
    const {losses} = taken('channelsFirst', 'conv', {loss: own, ys: labels(), granularity: 'sample'});
    expect(shapes[0]).toEqual([2, CLASSES, 3, CLASSES]);
    expectClose(
      losses,
      taken('channelsLast', 'conv', {loss: sparse, ys: labels(), granularity: 'sample'}).losses,
      CLOSE,
    );
  });

  it('is scored as one with channels last', async () => {
    const loss = sparseCategoricalCrossentropy(fromLogits);
    const scores = await perSampleLosses(network('channelsFirst', 'conv', kernelOf()), toFirst(images()), labels(), {
      loss,
    });
    const expected = await perSampleLosses(network('channelsLast', 'conv', kernelOf()), images(), labels(), {loss});
    expectClose([...scores], [...expected], CLOSE);
  });

  it('is taken as it is behind a layer that moves the axes', () => {
    const x = input({shape: [2, 3, CLASSES]});
    const conv = layers.conv2d({filters: CLASSES, kernelSize: 1, useBias: false, dataFormat: 'channelsFirst'});
    const moved = layers.permute({dims: [2, 3, 1]}).apply(conv.apply(x)) as SymbolicTensor;
    const model = layersModel({inputs: x, outputs: moved});
    model.setWeights([kernelOf()]);
    const loss = sparseCategoricalCrossentropy(fromLogits);
    const step = ohemStep(model, {loss, select: all(), optimizer: train.sgd(0.1), granularity: 'element'});
    const {losses} = step(toFirst(images()), labels());
    expectClose(losses, taken('channelsLast', 'conv', {loss, ys: labels()}).losses, CLOSE);
  });
});
