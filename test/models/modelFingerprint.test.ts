import * as tf from '@tensorflow/tfjs-core';
import {
  model as functional,
  input,
  type LayersModel,
  layers,
  loadLayersModel,
  type Sequential,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import {expect, it} from 'vitest';
import {asLayersModel} from '../../src/models/functionModel';
import {modelFingerprint} from '../../src/models/modelFingerprint';
import {describeOnBackends} from '../support/backends';

type DenseOptions = Partial<Parameters<typeof layers.dense>[0]>;

const dense = (options: DenseOptions = {}): Sequential =>
  sequential({layers: [layers.dense({units: 3, inputShape: [2], ...options}), layers.dense({units: 3})]});

/** Two inputs of the same shape, of which the second runs through a layer before they meet. */
function branched(swapped = false, name = 'one'): LayersModel {
  const [first, second] = [input({shape: [3], name}), input({shape: [3], name: `${name}-other`})];
  const through = layers.dense({units: 3, name: `${name}-dense`}).apply(second) as SymbolicTensor;
  const parts = swapped ? [second, through] : [first, through];
  return functional({inputs: [first, second], outputs: layers.concatenate().apply(parts) as SymbolicTensor});
}

describeOnBackends('modelFingerprint', () => {
  it('is the same integer for models that differ in names, seeds and initial weights only', () => {
    const models = [
      dense(),
      dense({name: 'other'}),
      dense({kernelInitializer: 'zeros', biasInitializer: 'ones'}),
      dense({name: 'relu'}),
    ];
    const fingerprints = models.map(modelFingerprint);
    expect(new Set(fingerprints).size).toBe(1);
    expect(Number.isInteger(fingerprints[0]) && (fingerprints[0] as number) >= 0).toBe(true);
    expect(fingerprints[0]).toBeLessThan(2 ** 31);
    const dropping = (seed: number) => sequential({layers: [layers.dropout({rate: 0.5, seed, inputShape: [2]})]});
    expect(modelFingerprint(dropping(1))).toBe(modelFingerprint(dropping(2)));
  });

  it.each<[string, DenseOptions]>([
    ['an activation', {activation: 'relu'}],
    ['a width', {units: 4}],
    ['a bias', {useBias: false}],
    ['a regulariser', {kernelRegularizer: 'l1l2'}],
    ['a constraint', {kernelConstraint: 'nonNeg'}],
    ['a frozen layer', {trainable: false}],
  ])('tells models apart by %s', (_, options) => {
    expect(modelFingerprint(dense(options))).not.toBe(modelFingerprint(dense()));
  });

  it('tells a model from itself after its first layer was frozen', () => {
    const model = dense();
    const before = modelFingerprint(model);
    (model.layers[0] as {trainable: boolean}).trainable = false;
    expect(modelFingerprint(model)).not.toBe(before);
  });

  it('tells models apart by their connections, whatever the layers are called', () => {
    expect(modelFingerprint(branched())).toBe(modelFingerprint(branched(false, 'two')));
    expect(modelFingerprint(branched(true))).not.toBe(modelFingerprint(branched()));
  });

  it('tells models apart by the order of layers of equal shapes', () => {
    const inOrder = (...activations: ('relu' | 'tanh')[]) =>
      sequential({layers: activations.map((activation) => layers.dense({units: 2, inputShape: [2], activation}))});
    expect(modelFingerprint(inOrder('relu', 'tanh'))).not.toBe(modelFingerprint(inOrder('tanh', 'relu')));
  });

  it('sees into inner models, wrapped layers and recurrent cells', () => {
    const around = (inner: LayersModel) => sequential({layers: [inner as never, layers.dense({units: 1})]});
    expect(modelFingerprint(around(dense()))).toBe(modelFingerprint(around(dense())));
    expect(modelFingerprint(around(dense({activation: 'relu'})))).not.toBe(modelFingerprint(around(dense())));
    const wrapped = (activation: 'relu' | 'tanh') => {
      const layer = layers.simpleRNN({units: 2, activation, recurrentInitializer: 'glorotNormal'});
      return sequential({layers: [layers.bidirectional({layer: layer as never, inputShape: [3, 2]})]});
    };
    expect(modelFingerprint(wrapped('relu'))).toBe(modelFingerprint(wrapped('relu')));
    expect(modelFingerprint(wrapped('relu'))).not.toBe(modelFingerprint(wrapped('tanh')));
  });

  it('is the same for a model that was saved and loaded again', async () => {
    const residual = () => {
      const start = input({shape: [3]});
      const inner = layers.dense({units: 3, kernelRegularizer: 'l1l2'}).apply(start) as SymbolicTensor;
      return functional({inputs: start, outputs: layers.add().apply([start, inner]) as SymbolicTensor});
    };
    const models = [
      sequential({layers: [layers.dense({units: 3, inputShape: [2]}), layers.dropout({rate: 0.5, seed: 3})]}),
      sequential({layers: [layers.embedding({inputDim: 5, outputDim: 2, inputLength: 3}), layers.flatten()]}),
      sequential({
        layers: [layers.conv2d({filters: 2, kernelSize: 3, inputShape: [8, 8, 1]}), layers.maxPooling2d({})],
      }),
      sequential({layers: [residual() as never, layers.dense({units: 1}), layers.batchNormalization()]}),
      residual(),
    ];
    for (const model of models) {
      let saved: tf.io.ModelArtifacts = {};
      const handler = tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return {modelArtifactsInfo: {dateSaved: new Date(), modelTopologyType: 'JSON'}};
      });
      await model.save(handler);
      expect(modelFingerprint(await loadLayersModel(tf.io.fromMemory(saved)))).toBe(modelFingerprint(model));
    }
  });

  it('is the same for shards of different sizes', () => {
    const ofRows = (rows: number) => sequential({layers: [layers.dense({units: 1, batchInputShape: [rows, 2]})]});
    expect(modelFingerprint(ofRows(4))).toBe(modelFingerprint(ofRows(6)));
  });

  it('knows functions, and layers without a configuration, by the shapes of their weights', () => {
    const ofShape = (...shape: [number, number]) => {
      const weight = tf.variable(tf.zeros(shape));
      return asLayersModel('test', {predict: (xs: tf.Tensor2D) => tf.matMul(xs, weight), variables: [weight]}, [
        'output',
      ]);
    };
    expect(modelFingerprint(ofShape(2, 3))).toBe(modelFingerprint(ofShape(2, 3)));
    expect(modelFingerprint(ofShape(2, 3))).not.toBe(modelFingerprint(ofShape(3, 2)));
    const secretive = (units: number) => {
      const model = dense({units});
      (model.layers[0] as {getConfig: unknown}).getConfig = () => {
        throw new Error('no configuration');
      };
      return model;
    };
    expect(modelFingerprint(secretive(3))).toBe(modelFingerprint(secretive(3)));
    expect(modelFingerprint(secretive(3))).not.toBe(modelFingerprint(secretive(4)));
  });
});
