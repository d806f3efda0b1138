import {
  cast,
  floor,
  matMul,
  mul,
  randomUniform,
  reshape,
  softmax,
  type Tensor,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import {input, type LayersModel, layers, model, type SymbolicTensor} from '@tensorflow/tfjs-layers';

/** A model of a kind that many train, and the shape of its inputs. */
export interface CommonModel {
  name: string;
  shape: number[];
  build(): LayersModel;
  /** Integers below this are its inputs. */
  below?: number;
  /** Where tfjs cannot differentiate it, or is wrong. */
  failsOn?: readonly string[];
  /** The share of its multiplications that stays cut, if not all. */
  share?: number;
}

type Chained = {apply(x: SymbolicTensor): unknown};
const recurrent = {recurrentInitializer: 'glorotNormal' as const, units: 4};
const steps = {...recurrent, returnSequences: true};
const from = (shape: number[], build: (x: SymbolicTensor) => SymbolicTensor): LayersModel => {
  const x = input({shape});
  return model({inputs: x, outputs: build(x)});
};
const then = (x: SymbolicTensor, ...chain: Chained[]): SymbolicTensor =>
  chain.reduce((at, layer) => layer.apply(at) as SymbolicTensor, x);
const chain =
  (shape: number[], ...make: (() => object)[]) =>
  () =>
    from(shape, (x) => then(x, ...make.map((one) => one() as Chained)));
const dense = (units: number, activation?: 'relu' | 'softmax') => () =>
  layers.dense({units, ...(activation && {activation})});
const conv =
  (filters: number, options: object = {}) =>
  () =>
    layers.conv2d({filters, kernelSize: 3, padding: 'same', activation: 'relu', ...options});

/** Two heads of attention, as one matrix each. */
function attend(query: Tensor, key: Tensor, value: Tensor): Tensor {
  const heads = (x: Tensor) => {
    const [batch, length, of] = x.shape as [number, number, number];
    return transpose(reshape(x, [batch, length, 2, of / 2]), [0, 2, 1, 3]);
  };
  const scores = mul(matMul(heads(query), heads(key), false, true), 0.7);
  return reshape(transpose(matMul(softmax(scores), heads(value)), [0, 2, 1, 3]), query.shape);
}

/** Attention of two heads over inputs that are query, key and value already. */
export class Attention extends layers.Layer {
  static className = 'TestAttention';
  // biome-ignore lint/suspicious/noExplicitAny: as the layers of tfjs declare it.
  override computeOutputShape(shapes: any): any {
    return shapes[0];
  }
  override call(inputs: Tensor | Tensor[]): Tensor {
    const [query, key, value] = inputs as [Tensor, Tensor, Tensor];
    return attend(query, key, value);
  }
}

const transformer = (): LayersModel =>
  from([5], (x) => {
    const embedded = then(x, layers.embedding({inputDim: 9, outputDim: 6}));
    const parts = [0, 1, 2].map(() => then(embedded, layers.dense({units: 6})));
    const attention = new Attention({}).apply(parts) as SymbolicTensor;
    const first = then(layers.add().apply([embedded, attention]) as SymbolicTensor, layers.layerNormalization());
    const wide = then(first, layers.dense({units: 12, activation: 'relu'}), layers.dense({units: 6}));
    const second = then(layers.add().apply([first, wide]) as SymbolicTensor, layers.layerNormalization());
    return then(second, layers.globalAveragePooling1d({}), layers.dense({units: 3, activation: 'softmax'}));
  });

/** Translates dates, in the examples of tfjs. */
const seqToSeq = (): LayersModel =>
  from([5], (x) => {
    const encoder = then(x, layers.embedding({inputDim: 9, outputDim: 4, maskZero: true}), layers.lstm(steps));
    const decoder = then(x, layers.embedding({inputDim: 9, outputDim: 4}), layers.lstm(steps));
    const scores = layers.dot({axes: [2, 2]}).apply([decoder, encoder]) as SymbolicTensor;
    const attention = then(scores, layers.activation({activation: 'softmax'}));
    const context = layers.dot({axes: [2, 1]}).apply([attention, encoder]) as SymbolicTensor;
    const both = layers.concatenate().apply([context, decoder]) as SymbolicTensor;
    return then(
      both,
      layers.timeDistributed({layer: layers.dense({units: 6, activation: 'tanh'})}),
      layers.dense({units: 3, activation: 'softmax'}),
    );
  });

const uNet = (): LayersModel =>
  from([4, 4, 2], (x) => {
    const top = then(x, conv(3)() as Chained);
    const bottom = then(top, layers.maxPooling2d({poolSize: 2}), conv(4)() as Chained);
    const up = then(bottom, layers.upSampling2d({size: [2, 2]}));
    const learned = then(bottom, layers.conv2dTranspose({filters: 3, kernelSize: 2, strides: 2}));
    const joined = layers.concatenate().apply([top, up, learned]) as SymbolicTensor;
    return then(joined, conv(3)() as Chained, layers.conv2d({filters: 2, kernelSize: 1, activation: 'softmax'}));
  });

export const COMMON_MODELS: readonly CommonModel[] = [
  {
    name: 'a deep network',
    shape: [5],
    build: chain(
      [5],
      dense(8, 'relu'),
      dense(6, 'relu'),
      () => layers.dropout({rate: 0.2, seed: 5}),
      dense(3, 'softmax'),
    ),
  },
  {name: 'an LSTM', shape: [4, 3], build: chain([4, 3], () => layers.lstm(recurrent), dense(3, 'softmax'))},
  {
    // tfjs does not differentiate `unstack` into one tensor.
    failsOn: ['cpu', 'wasm'],
    name: 'an LSTM of one step',
    shape: [1, 3],
    build: chain([1, 3], () => layers.lstm(recurrent), dense(3, 'softmax')),
  },
  {
    name: 'stacked LSTMs',
    shape: [3, 3],
    build: chain(
      [3, 3],
      () => layers.lstm(steps),
      () => layers.lstm(steps),
      () => layers.lstm(recurrent),
      dense(2),
    ),
  },
  {
    name: 'stacked GRUs',
    shape: [3, 3],
    build: chain(
      [3, 3],
      () => layers.gru(steps),
      () => layers.gru({...recurrent, goBackwards: true}),
      dense(1),
    ),
  },
  {
    name: 'a stacked cell',
    shape: [3, 3],
    build: chain(
      [3, 3],
      () => layers.rnn({cell: [layers.gruCell(recurrent), layers.lstmCell(recurrent)] as never}),
      dense(2),
    ),
  },
  {
    name: 'a bidirectional LSTM',
    shape: [3, 3],
    build: chain(
      [3, 3],
      () => layers.bidirectional({layer: layers.lstm(steps) as never, mergeMode: 'concat'}),
      () => layers.bidirectional({layer: layers.gru(recurrent) as never, mergeMode: 'sum'}),
      dense(2),
    ),
  },
  {
    name: 'an LSTM behind a mask',
    shape: [3, 3],
    build: chain(
      [3, 3],
      () => layers.masking({maskValue: 0}),
      () => layers.lstm(recurrent),
      dense(2),
    ),
  },
  {
    name: 'an encoder and a decoder',
    shape: [3, 3],
    build: chain(
      [3, 3],
      () => layers.lstm(recurrent),
      () => layers.repeatVector({n: 2}),
      () => layers.lstm(steps),
      () => layers.timeDistributed({layer: layers.dense({units: 3, activation: 'softmax'})}),
    ),
  },
  {name: 'a sequence to another with attention', shape: [5], below: 9, build: seqToSeq},
  {name: 'a transformer block', shape: [5], below: 9, build: transformer},
  {
    name: 'a convolutional network',
    shape: [8, 8, 1],
    build: chain(
      [8, 8, 1],
      conv(3),
      () => layers.maxPooling2d({poolSize: 2}),
      conv(4, {strides: 2}),
      () => layers.flatten(),
      dense(6, 'relu'),
      dense(3, 'softmax'),
    ),
  },
  {
    name: 'a MobileNet block',
    shape: [5, 5, 2],
    build: chain(
      [5, 5, 2],
      () => layers.zeroPadding2d({padding: 1}),
      () => layers.depthwiseConv2d({kernelSize: 3}),
      () => layers.reLU({maxValue: 6}),
      conv(4, {kernelSize: 1}),
      () => layers.separableConv2d({filters: 3, kernelSize: 2}),
      () => layers.globalAveragePooling2d({}),
      dense(3, 'softmax'),
    ),
  },
  {
    // The gradient of upsampling is wrong on cpu.
    failsOn: ['cpu'],
    name: 'a U-Net',
    shape: [4, 4, 2],
    build: uNet,
  },
  {
    name: 'convolutions of texts',
    shape: [6],
    below: 9,
    build: chain(
      [6],
      () => layers.embedding({inputDim: 9, outputDim: 4}),
      () => layers.conv1d({filters: 4, kernelSize: 3, activation: 'relu'}),
      () => layers.globalMaxPooling1d({}),
      dense(1),
    ),
  },
  {
    name: 'convolutions of volumes',
    shape: [3, 3, 3, 1],
    build: chain(
      [3, 3, 3, 1],
      () => layers.conv3d({filters: 2, kernelSize: 2}),
      () => layers.averagePooling3d({poolSize: 2, strides: 1}),
      () => layers.flatten(),
      dense(2),
    ),
  },
  {
    name: 'convolutions over time',
    shape: [2, 4, 4, 1],
    build: chain(
      [2, 4, 4, 1],
      () => layers.timeDistributed({layer: layers.conv2d({filters: 2, kernelSize: 2})}),
      () => layers.timeDistributed({layer: layers.flatten()}),
      () => layers.lstm(recurrent),
      dense(2),
    ),
  },
  {
    name: 'a convolutional LSTM',
    shape: [2, 4, 4, 1],
    build: chain(
      [2, 4, 4, 1],
      () => layers.convLstm2d({filters: 2, kernelSize: 2, recurrentInitializer: 'glorotNormal'}),
      () => layers.flatten(),
      dense(2),
    ),
  },
  {
    name: 'batch normalisation at the end',
    shape: [5],
    build: chain([5], dense(6), dense(6), () => layers.batchNormalization(), dense(3, 'softmax')),
    share: 0.1,
  },
];

/** Inputs for a batch. */
export function inputsFor({shape, below}: CommonModel, batch: number): Tensor {
  return tidy(() => {
    const values = randomUniform([batch, ...shape], 0.1, below ?? 1, 'float32', batch);
    return below ? cast(floor(values), 'int32') : values;
  });
}
