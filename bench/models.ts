import {keep, oneHot, randomUniform, type Tensor, tensor1d, train} from '@tensorflow/tfjs-core';
import {input, type LayersModel, layers, model, type SymbolicTensor} from '@tensorflow/tfjs-layers';

/** A model to time, with the batches that it is timed on. */
export interface Subject {
  name: string;
  /** Shape of one input row. */
  shape: number[];
  build(): LayersModel;
  pairs: readonly (readonly [n: number, k: number])[];
  /**
   * Widths of its dense layers, from the input on, where it has no others: its floor can be
   * counted.
   */
  widths?: readonly number[];
}

export interface Batch {
  xs: Tensor;
  ys: Tensor;
}

const PAIRS = [
  [512, 512],
  [512, 384],
  [1024, 512],
  [1024, 128],
  [512, 64],
] as const;

type Layer = {apply(x: SymbolicTensor): unknown};
export const chain = (x: SymbolicTensor, ...rest: Layer[]) =>
  rest.reduce((at, layer) => layer.apply(at) as SymbolicTensor, x);
const softmax = () => layers.dense({units: 10, activation: 'softmax'});
const relu = (units: number) => layers.dense({units, activation: 'relu'});

/** Builds a model of one input, ready for `trainOnBatch`. */
export function compiled(
  shape: number[],
  body: (x: SymbolicTensor) => SymbolicTensor,
  loss = 'meanSquaredError',
): LayersModel {
  const x = input({shape});
  const built = model({inputs: x, outputs: body(x)});
  // So small a rate leaves the weights as they are: every step is the same work.
  built.compile({optimizer: train.sgd(1e-9), loss});
  return built;
}

export const SUBJECTS: readonly Subject[] = [
  {
    name: 'dense: 784-1024-10, sigmoid (the reference model)',
    shape: [784],
    pairs: PAIRS,
    widths: [784, 1024, 10],
    build: () => compiled([784], (x) => chain(x, layers.dense({units: 1024, activation: 'sigmoid'}), softmax())),
  },
  {
    name: 'deep: 784-1024-1024-1024-10, ReLU',
    shape: [784],
    pairs: PAIRS,
    widths: [784, 1024, 1024, 1024, 10],
    build: () => compiled([784], (x) => chain(x, relu(1024), relu(1024), relu(1024), softmax())),
  },
  {
    name: 'residual: 784-512, three blocks of 512-512, 10',
    shape: [784],
    pairs: PAIRS,
    build: () =>
      compiled([784], (x) => {
        let features = chain(x, relu(512));
        for (let block = 0; block < 3; block++) {
          features = layers
            .add()
            .apply([features, chain(features, relu(512), layers.dense({units: 512}))]) as SymbolicTensor;
        }
        return chain(features, softmax());
      }),
  },
  {
    name: 'cnn: conv 32, conv 32, max-pool, dense 128, dense 10 on 28 × 28',
    shape: [28, 28, 1],
    pairs: [
      [64, 64],
      [64, 48],
      [64, 32],
      [64, 8],
    ],
    build: () =>
      compiled([28, 28, 1], (x) =>
        chain(
          x,
          layers.conv2d({filters: 32, kernelSize: 3, activation: 'relu'}),
          layers.conv2d({filters: 32, kernelSize: 3, activation: 'relu'}),
          layers.maxPooling2d({poolSize: 2}),
          layers.flatten(),
          relu(128),
          softmax(),
        ),
      ),
  },
];

/** Random rows with labels, `float32[n, …]` and `float32[n, 10]`, kept. */
export function randomBatch(n: number, shape: number[]): Batch {
  const labels = Int32Array.from({length: n}, (_, row) => row % 10);
  return {
    xs: keep(randomUniform([n, ...shape], 0, 1, 'float32', 1)),
    ys: keep(oneHot(tensor1d(labels, 'int32'), 10)),
  };
}
