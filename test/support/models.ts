import {cast, randomNormal, randomUniform, type Tensor, tensor2d, tidy} from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model,
  regularizers,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import {repeatably} from './property';

/** A model with data for it. */
export interface Specimen {
  name: string;
  /** Where the gradients of tfjs itself are wrong; on wasm with our kernels. */
  wrongOn?: readonly string[];
  /** Builds it, always with the same weights. */
  build(): LayersModel;
  xs(batchSize: number): Tensor[];
  ys(batchSize: number): Tensor[];
}

let seed = 0;
const init = () => ({kernelInitializer: 'glorotNormal' as const, biasInitializer: 'randomNormal' as const});
const dense = (units: number, activation?: 'relu' | 'sigmoid' | 'tanh' | 'softmax') =>
  layers.dense({units, ...init(), ...(activation && {activation})});
const features =
  (...shape: number[]) =>
  (batchSize: number) => [randomNormal([batchSize, ...shape], 0, 1, 'float32', ++seed)];
const integers =
  (count: number, below: number) =>
  (batchSize: number): Tensor[] => [
    tidy(() => cast(randomUniform([batchSize, count], 0, below, 'float32', ++seed), 'int32')),
  ];

/** One-hot rows of `classes` classes. */
function oneHotRows(classes: number): (batchSize: number) => Tensor[] {
  return (batchSize) => [
    tensor2d(
      Array.from({length: batchSize}, (_, row) =>
        Array.from({length: classes}, (_, c) => ((row * 7 + 3) % classes === c ? 1 : 0)),
      ),
    ),
  ];
}

const from = (shape: number[], outputs: (x: SymbolicTensor) => SymbolicTensor | SymbolicTensor[]): LayersModel => {
  const x = input({shape});
  return model({inputs: x, outputs: outputs(x)});
};
const then = (x: SymbolicTensor, ...chain: {apply(x: SymbolicTensor): unknown}[]): SymbolicTensor =>
  chain.reduce((at, layer) => layer.apply(at) as SymbolicTensor, x);

const UNSEEDED: readonly Specimen[] = [
  {
    name: 'one dense layer',
    build: () => from([5], (x) => then(x, dense(3, 'softmax'))),
    xs: features(5),
    ys: oneHotRows(3),
  },
  {
    name: 'the reference model, small',
    build: () => from([6], (x) => then(x, dense(16, 'sigmoid'), dense(4, 'softmax'))),
    xs: features(6),
    ys: oneHotRows(4),
  },
  {
    name: 'three dense layers as wide as the batch',
    build: () =>
      from([12], (x) => then(x, dense(12, 'relu'), dense(12, 'tanh'), dense(12, 'relu'), dense(3, 'softmax'))),
    xs: features(12),
    ys: oneHotRows(3),
  },
  {
    name: 'residual blocks',
    build: () =>
      from([6], (x) => {
        const first = then(x, dense(8, 'relu'));
        const second = layers.add().apply([first, then(first, dense(8, 'relu'), dense(8))]) as SymbolicTensor;
        return then(second, layers.layerNormalization(), dense(3, 'softmax'));
      }),
    xs: features(6),
    ys: oneHotRows(3),
  },
  {
    name: 'two inputs, concatenated',
    build: () => {
      const [a, b] = [input({shape: [4]}), input({shape: [3]})];
      const both = layers.concatenate().apply([then(a, dense(5, 'tanh')), then(b, dense(5, 'relu'))]) as SymbolicTensor;
      return model({inputs: [a, b], outputs: then(both, dense(3, 'softmax'))});
    },
    xs: (batchSize) => [...features(4)(batchSize), ...features(3)(batchSize)],
    ys: oneHotRows(3),
  },
  {
    name: 'two outputs',
    build: () =>
      from([5], (x) => {
        const shared = then(x, dense(8, 'relu'));
        return [then(shared, dense(3, 'softmax')), then(shared, dense(6, 'tanh'), dense(2, 'softmax'))];
      }),
    xs: features(5),
    ys: (batchSize) => [...oneHotRows(3)(batchSize), ...oneHotRows(2)(batchSize)],
  },
  {
    name: 'regularised layers and a PReLU',
    build: () =>
      sequential({
        layers: [
          layers.dense({units: 8, inputShape: [5], kernelRegularizer: regularizers.l2({l2: 0.05}), ...init()}),
          layers.prelu({alphaInitializer: 'randomUniform'}),
          layers.dense({units: 3, activation: 'softmax', kernelRegularizer: regularizers.l1({l1: 0.02}), ...init()}),
        ],
      }),
    xs: features(5),
    ys: oneHotRows(3),
  },
  {
    name: 'a small convolutional network',
    build: () =>
      from([8, 8, 2], (x) =>
        then(
          x,
          layers.conv2d({filters: 4, kernelSize: 3, activation: 'relu', ...init()}),
          layers.maxPooling2d({poolSize: 2}),
          layers.separableConv2d({filters: 5, kernelSize: 2, activation: 'relu'}),
          layers.flatten(),
          dense(3, 'softmax'),
        ),
      ),
    xs: features(8, 8, 2),
    ys: oneHotRows(3),
  },
  {
    name: 'an embedding',
    build: () =>
      from([4], (x) => then(x, layers.embedding({inputDim: 9, outputDim: 3}), layers.flatten(), dense(3, 'softmax'))),
    xs: integers(4, 9),
    ys: oneHotRows(3),
  },
  {
    name: 'a recurrent layer',
    build: () =>
      from([3, 4], (x) => then(x, layers.lstm({units: 5, recurrentInitializer: 'glorotNormal'}), dense(3, 'softmax'))),
    xs: features(3, 4),
    ys: oneHotRows(3),
  },
  ...chains(),
];

/**
 * Models without dropout or batch statistics: every backward pass must find the same gradient for
 * them.
 */
export const SPECIMENS: readonly Specimen[] = UNSEEDED.map((specimen) => ({
  ...specimen,
  build: () => repeatably(specimen.build),
}));

/**
 * One model for each kind of layer of tfjs-layers that the models above lack: the layers,
 * flattened, before a dense softmax.
 */
function chains(): Specimen[] {
  const chain = (
    name: string,
    shape: number[],
    make: () => {apply(x: SymbolicTensor): unknown}[],
    wrongOn: readonly string[] = [],
  ): Specimen => ({
    name,
    wrongOn,
    build: () =>
      from(shape, (x) => {
        const features = then(x, ...make());
        return then(features, ...(features.rank > 2 ? [layers.flatten()] : []), dense(3, 'softmax'));
      }),
    xs: features(...shape),
    ys: oneHotRows(3),
  });
  const conv = (options: object = {}) => layers.conv2d({filters: 3, kernelSize: 2, ...init(), ...options});
  const recurrent = {recurrentInitializer: 'glorotNormal' as const, units: 4};
  return [
    chain('1-D convolutions', [6, 2], () => [
      layers.conv1d({filters: 4, kernelSize: 3, activation: 'relu', ...init()}),
    ]),
    chain('strided convolutions', [8, 8, 2], () => [conv({strides: 2, padding: 'same'}), conv({strides: [1, 2]})]),
    chain('depthwise convolutions', [5, 5, 2], () => [layers.depthwiseConv2d({kernelSize: 3, depthMultiplier: 2})]),
    chain('transposed convolutions', [3, 3, 2], () => [
      layers.conv2dTranspose({filters: 3, kernelSize: 2, strides: 2}),
      conv(),
    ]),
    chain('average and global pooling', [6, 6, 2], () => [
      conv(),
      layers.averagePooling2d({poolSize: 2}),
      layers.reshape({targetShape: [2, 2, 3]}),
      layers.globalMaxPooling2d({}),
    ]),
    chain('zero padding and cropping', [4, 4, 2], () => [
      conv(),
      layers.zeroPadding2d({padding: 1}),
      layers.cropping2D({
        cropping: [
          [1, 0],
          [0, 1],
        ],
      }),
    ]),
    // On cpu the gradient of tfjs itself is wrong for more than one row.
    chain('upsampling', [3, 3, 2], () => [conv(), layers.upSampling2d({size: [2, 2]})], ['cpu']),
    chain('a simple recurrent layer', [3, 4], () => [layers.simpleRNN(recurrent)]),
    chain('a GRU that returns sequences', [3, 4], () => [
      layers.gru({...recurrent, returnSequences: true}),
      layers.gru(recurrent),
    ]),
    chain('a bidirectional layer', [3, 4], () => [
      layers.bidirectional({
        layer: layers.simpleRNN({...recurrent, returnSequences: true}) as never,
        mergeMode: 'concat',
      }),
    ]),
    chain('time-distributed layers', [4, 3], () => [layers.timeDistributed({layer: dense(5, 'relu')})]),
    chain('advanced activations', [6], () => [
      dense(6),
      layers.leakyReLU(),
      dense(6),
      layers.elu(),
      dense(6),
      layers.softmax({axis: -1}),
    ]),
    chain('activations by name', [6], () =>
      (['elu', 'selu', 'softplus', 'softsign', 'hardSigmoid', 'linear'] as const).map((activation) =>
        layers.dense({units: 6, activation, ...init()}),
      ),
    ),
    chain('permuted and repeated features', [3, 4], () => [
      dense(4),
      layers.permute({dims: [2, 1]}),
      layers.reshape({targetShape: [12]}),
      dense(5),
      layers.repeatVector({n: 2}),
    ]),
    chain('masked sequences', [3, 4], () => [layers.masking({maskValue: 0}), dense(4, 'tanh')]),
    {
      name: 'merged branches of every kind',
      build: () =>
        from([5], (x) => {
          const branches = () => [then(x, dense(4, 'tanh')), then(x, dense(4, 'sigmoid'))];
          const merged = [
            layers.add(),
            layers.multiply(),
            layers.average(),
            layers.maximum(),
            layers.minimum(),
            layers.concatenate(),
            layers.dot({axes: 1}),
          ].map((merge) => merge.apply(branches()) as SymbolicTensor);
          return then(layers.concatenate().apply(merged) as SymbolicTensor, dense(3, 'softmax'));
        }),
      xs: features(5),
      ys: oneHotRows(3),
    },
    {
      name: 'attention',
      build: () =>
        from([4, 6], (x) => {
          // Without a bias in the keys: scores that all move together make no difference, and its
          // gradient would be noise around 0.
          const query = then(x, dense(5));
          const key = then(x, layers.dense({units: 5, useBias: false}));
          const value = then(x, dense(5));
          const scores = layers
            .softmax({axis: -1})
            .apply(layers.dot({axes: [2, 2]}).apply([query, key]) as SymbolicTensor) as SymbolicTensor;
          const mixed = layers.dot({axes: [2, 1]}).apply([scores, value]) as SymbolicTensor;
          return then(mixed, layers.layerNormalization(), layers.flatten(), dense(3, 'softmax'));
        }),
      xs: features(4, 6),
      ys: oneHotRows(3),
    },
    {
      name: 'a model in a model',
      build: () => {
        const inner = sequential({
          name: `inner${++seed}`,
          layers: [layers.dense({units: 6, inputShape: [5], activation: 'relu', ...init()}), dense(4, 'tanh')],
        });
        return from([5], (x) => then(x, inner, dense(3, 'softmax')));
      },
      xs: features(5),
      ys: oneHotRows(3),
    },
    {
      name: 'a shared layer',
      build: () =>
        from([5], (x) => {
          const shared = dense(5, 'tanh');
          return then(x, shared, shared, dense(3, 'softmax'));
        }),
      xs: features(5),
      ys: oneHotRows(3),
    },
    {
      name: 'a frozen first layer',
      build: () =>
        from([5], (x) =>
          then(
            x,
            layers.dense({units: 6, activation: 'relu', trainable: false, ...init()}),
            dense(5, 'tanh'),
            dense(3, 'softmax'),
          ),
        ),
      xs: features(5),
      ys: oneHotRows(3),
    },
  ];
}
