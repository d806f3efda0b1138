import {add, mean, mul, oneHot, randomNormal, square, sub, type Tensor, tensor1d, tidy} from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  type ModelFitArgs,
  model,
  regularizers,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import type {FitOhemArgs} from 'ohem-tfjs';

/** A model with data, to be trained by tfjs's `fit` and by `fitOhem`. */
export interface FitCase {
  name: string;
  /** Compiled, with the same weights every time. */
  build(): LayersModel;
  x(): Tensor;
  y(): Tensor | Tensor[];
  args?: Pick<ModelFitArgs & FitOhemArgs, 'classWeight'>;
  /** What only `fitOhem` is given. */
  own?: FitOhemArgs;
}

export const ROWS = 22;

const kernel = (seed: number) => ({kernelInitializer: {className: 'GlorotNormal', config: {seed}} as never});
const softmax = (seed: number, units = 3) => layers.dense({units, activation: 'softmax', ...kernel(seed)});
const features = (...shape: number[]) => randomNormal([ROWS, ...shape], 0, 1, 'float32', 5);
const labels = (classes: number): Tensor =>
  tidy(() => oneHot(tensor1d(Int32Array.from({length: ROWS}, (_, row) => (row * 7 + 2) % classes)), classes));

export const mlp = (): LayersModel => {
  const built = sequential({
    layers: [layers.dense({units: 8, activation: 'tanh', inputShape: [5], ...kernel(1)}), softmax(2)],
  });
  built.compile({optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy', 'mse']});
  return built;
};

const scaledError = (weight: number) => (yTrue: Tensor, yPred: Tensor) =>
  tidy(() => mul(weight, mean(square(sub(yPred, yTrue)), 1)));

export const FIT_CASES: readonly FitCase[] = [
  {name: 'a multi-layer perceptron', build: mlp, x: () => features(5), y: () => labels(3)},
  {
    name: 'a convolutional network',
    build: () => {
      const built = sequential({
        layers: [
          layers.conv2d({filters: 3, kernelSize: 3, activation: 'relu', inputShape: [6, 6, 1], ...kernel(3)}),
          layers.maxPooling2d({poolSize: 2}),
          layers.flatten(),
          softmax(4),
        ],
      });
      built.compile({optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['accuracy']});
      return built;
    },
    x: () => features(6, 6, 1),
    y: () => labels(3),
  },
  {
    name: 'two outputs with lossWeights',
    build: () => {
      const x = input({shape: [5]});
      const shared = layers.dense({units: 6, activation: 'tanh', ...kernel(5)}).apply(x) as SymbolicTensor;
      const first = layers.dense({units: 3, name: 'first', activation: 'softmax', ...kernel(6)}).apply(shared);
      const second = layers.dense({units: 2, name: 'second', ...kernel(7)}).apply(shared);
      const built = model({inputs: x, outputs: [first, second] as SymbolicTensor[]});
      // tfjs's compile knows no lossWeights: there they are in the losses.
      built.compile({
        optimizer: 'sgd',
        loss: [scaledError(1), scaledError(0.3)] as never,
        metrics: {first: 'accuracy', second: 'mse'} as never,
      });
      return built;
    },
    x: () => features(5),
    y: () => [labels(3), labels(2)],
    own: {loss: [scaledError(1), scaledError(1)], lossWeights: [1, 0.3]},
  },
  {
    name: 'a regularised model',
    build: () => {
      const l2 = regularizers.l2({l2: 0.05});
      const built = sequential({
        layers: [
          layers.dense({units: 8, activation: 'relu', inputShape: [5], kernelRegularizer: l2, ...kernel(8)}),
          layers.dense({units: 1, kernelRegularizer: regularizers.l1({l1: 0.01}), ...kernel(9)}),
        ],
      });
      built.compile({optimizer: 'rmsprop', loss: 'meanSquaredError', metrics: ['mae']});
      return built;
    },
    x: () => features(5),
    y: () => tidy(() => mean(add(features(5), 1), 1, true)),
  },
  {
    name: 'classWeight',
    build: mlp,
    x: () => features(5),
    y: () => labels(3),
    args: {classWeight: {0: 1, 1: 4, 2: 0.5}},
  },
];
