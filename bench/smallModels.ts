/**
 * @file Models with a step of many short kernels, which shows its fixed costs. Pages run this too.
 */
import {cast, keep, oneHot, randomUniform, reshape, tensor1d, tidy, util} from '@tensorflow/tfjs-core';
import {type LayersModel, layers, type SymbolicTensor} from '@tensorflow/tfjs-layers';
import {Attention} from '../test/support/commonModels';
import {type Batch, chain, compiled} from './models';

/** A small model, with the batch that it is trained on. */
export interface SmallModel {
  name: string;
  /** Rows of a batch. */
  rows: number;
  /** Shape of one input row. */
  shape: number[];
  /** Shape of one row of labels, one-hot in its last axis. */
  target: number[];
  /** The unit that is mined. Omit for rows. */
  granularity?: 'element';
  /**
   * Steps that a benchmark takes in one turn, before another kind of step has its own. Longer turns
   * give the same ratio. The first steps of a turn find the caches that the other kind left, which
   * steps of a training run never do.
   */
  turn: number;
  /** Steps of an epoch, where epochs are timed. */
  epoch: number;
  build(): LayersModel;
}

const LOSS = 'categoricalCrossentropy';
const softmax = (units: number) => layers.dense({units, activation: 'softmax'});
const conv = (filters: number, padding: 'valid' | 'same' = 'valid') =>
  layers.conv2d({filters, kernelSize: 3, activation: 'relu', padding});
const pool = () => layers.maxPooling2d({poolSize: 2});

/** Dense layers of these widths, from the input on, with a softmax at the end. */
function dense(widths: [number, ...number[]], activation: 'relu' | 'sigmoid' | 'tanh'): LayersModel {
  const hidden = widths.slice(1, -1).map((units) => layers.dense({units, activation}));
  return compiled([widths[0]], (x) => chain(x, ...hidden, softmax(widths.at(-1) as number)), LOSS);
}

const cnn = () =>
  compiled([28, 28, 1], (x) => chain(x, conv(16), pool(), conv(32), pool(), layers.flatten(), softmax(10)), LOSS);

const lstm = () =>
  compiled(
    [20, 8],
    // The orthogonal default takes long to build.
    (x) => chain(x, layers.lstm({units: 32, recurrentInitializer: 'glorotNormal'}), softmax(3)),
    LOSS,
  );

const transformer = () =>
  compiled(
    [16, 32],
    (x) => {
      const parts = [0, 1, 2].map(() => chain(x, layers.dense({units: 32})));
      const attended = chain(new Attention({}).apply(parts) as SymbolicTensor, layers.dense({units: 32}));
      const first = chain(layers.add().apply([x, attended]) as SymbolicTensor, layers.layerNormalization());
      const wide = chain(first, layers.dense({units: 64, activation: 'relu'}), layers.dense({units: 32}));
      const second = chain(layers.add().apply([first, wide]) as SymbolicTensor, layers.layerNormalization());
      return chain(second, layers.globalAveragePooling1d({}), softmax(3));
    },
    LOSS,
  );

const uNet = () =>
  compiled(
    [64, 64, 1],
    (x) => {
      const up = (of: SymbolicTensor, beside: SymbolicTensor, filters: number) => {
        const larger = chain(of, layers.conv2dTranspose({filters, kernelSize: 2, strides: 2}));
        return chain(layers.concatenate().apply([larger, beside]) as SymbolicTensor, conv(filters, 'same'));
      };
      const top = chain(x, conv(8, 'same'));
      const middle = chain(top, pool(), conv(16, 'same'));
      const bottom = chain(middle, pool(), conv(32, 'same'));
      const pixels = layers.conv2d({filters: 2, kernelSize: 1, activation: 'softmax'});
      return chain(up(up(bottom, middle, 16), top, 8), pixels);
    },
    LOSS,
  );

const U_NET = {rows: 4, shape: [64, 64, 1], target: [64, 64, 2], turn: 4, epoch: 50, build: uNet};

export const SMALL_MODELS: readonly SmallModel[] = [
  {...{name: '2-8-2', rows: 32, shape: [2], target: [2]}, turn: 32, epoch: 1600, build: () => dense([2, 8, 2], 'tanh')},
  {
    ...{name: '4-16-16-3', rows: 32, shape: [4], target: [3]},
    ...{turn: 32, epoch: 1600},
    build: () => dense([4, 16, 16, 3], 'relu'),
  },
  {
    ...{name: '784-128-10', rows: 64, shape: [784], target: [10]},
    ...{turn: 32, epoch: 300},
    build: () => dense([784, 128, 10], 'relu'),
  },
  {...{name: 'CNN 16-32', rows: 32, shape: [28, 28, 1], target: [10]}, turn: 16, epoch: 50, build: cnn},
  {
    ...{name: '784-1024-10', rows: 512, shape: [784], target: [10]},
    ...{turn: 1, epoch: 50},
    build: () => dense([784, 1024, 10], 'sigmoid'),
  },
  {...{name: 'LSTM 32', rows: 32, shape: [20, 8], target: [3]}, turn: 8, epoch: 50, build: lstm},
  {...{name: 'transformer block', rows: 32, shape: [16, 32], target: [3]}, turn: 4, epoch: 50, build: transformer},
  {name: 'U-Net, images', ...U_NET},
  {name: 'U-Net, pixels', ...U_NET, granularity: 'element'},
];

/** Finds the models of these names, in this order. */
export const smallModels = (...names: string[]): SmallModel[] =>
  names.map((name) => SMALL_MODELS.find((model) => model.name === name) as SmallModel);

/** Makes random rows with labels, kept. */
export function smallBatch({rows, shape, target}: SmallModel): Batch {
  const size = rows * util.sizeFromShape(target.slice(0, -1));
  const classes = target.at(-1) as number;
  return {
    xs: keep(randomUniform([rows, ...shape], 0, 1, 'float32', 1)),
    ys: keep(
      tidy(() => {
        const labels = tensor1d(
          Int32Array.from({length: size}, (_, place) => place % classes),
          'int32',
        );
        return reshape(cast(oneHot(labels, classes), 'float32'), [rows, ...target]);
      }),
    ),
  };
}
