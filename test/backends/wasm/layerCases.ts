import {type Tensor, tensor} from '@tensorflow/tfjs-core';
import {input, type LayersModel, layers, model, type SymbolicTensor} from '@tensorflow/tfjs-layers';
import {random} from './sameAsCpu';

/** A layer in a model of its own, in the way that it is used. */
export interface LayerCase {
  /** As in the table of docs/backends.md. */
  name: string;
  build(): LayersModel;
  xs(): Tensor | Tensor[];
}

interface Appliable {
  apply(x: SymbolicTensor | SymbolicTensor[]): unknown;
}

/**
 * Gradients through a layer matter as much as those of its own weights: what comes before it has
 * weights, too.
 */
const trained = (shape: number[]): {xs: SymbolicTensor; features: SymbolicTensor} => {
  const xs = input({shape});
  const dense = layers.dense({units: shape.at(-1) as number, activation: 'tanh', kernelInitializer: 'glorotNormal'});
  return {xs, features: dense.apply(xs) as SymbolicTensor};
};

const on = (shape: number[], name: string, layer: () => Appliable): LayerCase => ({
  name,
  build: () => {
    const {xs, features} = trained(shape);
    return model({inputs: xs, outputs: layer().apply(features) as SymbolicTensor});
  },
  xs: () => random([3, ...shape], 1),
});

const merging = (name: string, layer: () => Appliable): LayerCase => ({
  name,
  build: () => {
    const [a, b] = [trained([4]), trained([4])];
    return model({inputs: [a.xs, b.xs], outputs: layer().apply([a.features, b.features]) as SymbolicTensor});
  },
  xs: () => [random([3, 4], 1), random([3, 4], 2)],
});

const vector = [6];
const steps = [7, 4];
/** Not square: the cpu backend mixes up height and width of some gradients. */
const image = [8, 6, 3];
const volume = [4, 4, 4, 2];
const video = [3, 5, 5, 2];
const recurrent = {recurrentInitializer: 'glorotNormal', kernelInitializer: 'glorotNormal'} as const;
const kernel = {kernelInitializer: 'glorotNormal'} as const;

export const LAYER_CASES: readonly LayerCase[] = [
  on(vector, 'dense', () => layers.dense({units: 5, activation: 'relu', ...kernel})),
  on(steps, 'dense on steps', () => layers.dense({units: 1, ...kernel})),
  on(vector, 'activation', () => layers.activation({activation: 'swish'})),
  on(vector, 'elu', () => layers.elu()),
  on(vector, 'leakyReLU', () => layers.leakyReLU()),
  on(vector, 'prelu', () => layers.prelu({alphaInitializer: 'randomUniform'})),
  on(image, 'prelu, sharedAxes', () => layers.prelu({alphaInitializer: 'randomUniform', sharedAxes: [1, 2]})),
  on(vector, 'reLU', () => layers.reLU({maxValue: 0.5})),
  on(vector, 'softmax', () => layers.softmax()),
  on(vector, 'thresholdedReLU', () => layers.thresholdedReLU({theta: 0.2})),
  on(steps, 'conv1d', () => layers.conv1d({filters: 5, kernelSize: 3, strides: 2, activation: 'relu', ...kernel})),
  on(steps, 'conv1d, padding: causal', () => layers.conv1d({filters: 5, kernelSize: 3, padding: 'causal', ...kernel})),
  on(image, 'conv2d', () => layers.conv2d({filters: 5, kernelSize: 3, activation: 'relu', ...kernel})),
  on(image, 'conv2d, activation: linear', () =>
    layers.conv2d({filters: 5, kernelSize: [2, 3], padding: 'same', ...kernel}),
  ),
  on(image, 'conv2d, strides', () =>
    layers.conv2d({filters: 5, kernelSize: 3, strides: 2, padding: 'same', ...kernel}),
  ),
  on(image, 'conv2d, dilationRate', () => layers.conv2d({filters: 5, kernelSize: 2, dilationRate: 2, ...kernel})),
  on(image, 'conv2d, dataFormat: channelsFirst', () =>
    layers.conv2d({filters: 5, kernelSize: 3, dataFormat: 'channelsFirst', ...kernel}),
  ),
  on(image, 'conv2dTranspose', () => layers.conv2dTranspose({filters: 5, kernelSize: 3, strides: 2, ...kernel})),
  on(volume, 'conv3d', () => layers.conv3d({filters: 3, kernelSize: 2, ...kernel})),
  on(volume, 'conv3dTranspose', () => layers.conv3dTranspose({filters: 3, kernelSize: 2, ...kernel})),
  on(image, 'depthwiseConv2d', () => layers.depthwiseConv2d({kernelSize: 3, depthMultiplier: 2})),
  on(image, 'depthwiseConv2d, strides', () => layers.depthwiseConv2d({kernelSize: 3, strides: 2, padding: 'same'})),
  on(image, 'separableConv2d', () => layers.separableConv2d({filters: 5, kernelSize: 3, depthMultiplier: 2})),
  on(steps, 'averagePooling1d', () => layers.averagePooling1d({poolSize: 2})),
  on(image, 'averagePooling2d', () => layers.averagePooling2d({poolSize: 2})),
  on(image, 'averagePooling2d, padding: same', () => layers.averagePooling2d({poolSize: 3, padding: 'same'})),
  on(volume, 'averagePooling3d', () => layers.averagePooling3d({poolSize: 2})),
  on(steps, 'maxPooling1d', () => layers.maxPooling1d({poolSize: 2})),
  on(image, 'maxPooling2d', () => layers.maxPooling2d({poolSize: [3, 2], strides: [2, 1], padding: 'same'})),
  on(volume, 'maxPooling3d', () => layers.maxPooling3d({poolSize: 2})),
  on(steps, 'globalAveragePooling1d', () => layers.globalAveragePooling1d()),
  on(image, 'globalAveragePooling2d', () => layers.globalAveragePooling2d({})),
  on(steps, 'globalMaxPooling1d', () => layers.globalMaxPooling1d()),
  on(image, 'globalMaxPooling2d', () => layers.globalMaxPooling2d({})),
  on(image, 'cropping2D', () =>
    layers.cropping2D({
      cropping: [
        [1, 2],
        [0, 1],
      ],
    }),
  ),
  on(image, 'zeroPadding2d', () =>
    layers.zeroPadding2d({
      padding: [
        [1, 2],
        [0, 1],
      ],
    }),
  ),
  on(image, 'upSampling2d', () => layers.upSampling2d({size: [2, 3]})),
  on(image, 'upSampling2d, interpolation: bilinear', () =>
    layers.upSampling2d({size: [2, 2], interpolation: 'bilinear'}),
  ),
  {
    name: 'embedding',
    build: () => {
      const xs = input({shape: [4]});
      return model({inputs: xs, outputs: layers.embedding({inputDim: 9, outputDim: 3}).apply(xs) as SymbolicTensor});
    },
    xs: () => tensor([0, 3, 3, 8, 1, 3, 0, 2], [2, 4], 'int32'),
  },
  on(steps, 'simpleRNN', () => layers.simpleRNN({units: 5, returnSequences: true, ...recurrent})),
  on(steps, 'lstm', () => layers.lstm({units: 5, ...recurrent})),
  on(steps, 'gru', () => layers.gru({units: 5, ...recurrent})),
  on(steps, 'rnn', () =>
    layers.rnn({cell: [layers.lstmCell({units: 3, ...recurrent}), layers.gruCell({units: 2, ...recurrent})]}),
  ),
  on(video, 'convLstm2d', () => layers.convLstm2d({filters: 2, kernelSize: 2, ...recurrent})),
  on(steps, 'bidirectional', () =>
    layers.bidirectional({layer: layers.lstm({units: 3, returnSequences: true, ...recurrent}), mergeMode: 'concat'}),
  ),
  on(steps, 'timeDistributed', () => layers.timeDistributed({layer: layers.dense({units: 3, ...kernel})})),
  on(vector, 'batchNormalization', () => layers.batchNormalization()),
  on(image, 'batchNormalization on images', () => layers.batchNormalization()),
  on(image, 'layerNormalization', () => layers.layerNormalization()),
  on(vector, 'dropout', () => layers.dropout({rate: 0.5, seed: 3})),
  on(steps, 'spatialDropout1d', () => layers.spatialDropout1d({rate: 0.5, seed: 3})),
  on(vector, 'gaussianDropout', () => layers.gaussianDropout({rate: 0.5})),
  on(vector, 'gaussianNoise', () => layers.gaussianNoise({stddev: 0.5})),
  on(vector, 'alphaDropout', () => layers.alphaDropout({rate: 0.5})),
  on(steps, 'masking', () => layers.masking({maskValue: 0})),
  on(image, 'flatten', () => layers.flatten()),
  on(image, 'reshape', () => layers.reshape({targetShape: [4, 36]})),
  on(image, 'permute', () => layers.permute({dims: [3, 1, 2]})),
  on(vector, 'repeatVector', () => layers.repeatVector({n: 3})),
  merging('add', () => layers.add()),
  merging('average', () => layers.average()),
  merging('concatenate', () => layers.concatenate()),
  merging('dot', () => layers.dot({axes: 1})),
  merging('maximum', () => layers.maximum()),
  merging('minimum', () => layers.minimum()),
  merging('multiply', () => layers.multiply()),
];
