import * as tf from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {
  type FitOhemArgs,
  type FunctionModel,
  fitOhem,
  fitOhemDataset,
  jointLoss,
  meanSquaredError,
  sparseCategoricalCrossentropy,
} from 'ohem-tfjs';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';

const OPEN = [null, 2] as never;
const perStep = () => layers.dense({units: 3, activation: 'softmax', inputShape: OPEN});

/** A model of sequences of any length, which tells three classes apart at each step. */
function sequences(
  loss: unknown = 'categoricalCrossentropy',
  layer: ReturnType<typeof layers.conv1d> | ReturnType<typeof layers.dense> = perStep(),
): LayersModel {
  const model = sequential({layers: [layer]});
  model.compile({optimizer: tf.train.sgd(0.1), loss: loss as string, metrics: ['accuracy']});
  return model;
}

const x = (length = 5, rows = 8) => tf.randomNormal([rows, length, 2], 0, 1, 'float32', 1);
const classes = (length = 5, rows = 8) => tf.oneHot(tf.zeros([rows, length], 'int32'), 3);
const labels = (label: number, length = 5, rows = 8) => tf.fill([rows, length], label, 'int32');
const ARGS = {batchSize: 4, verbose: 0, epochs: 1} as const;

const valuesOf = (weights: tf.Tensor[]) => weights.map((weight) => [...weight.dataSync()]);

describeOnBackends('Validation targets that do not fit', (backend) => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  /** Expects the error before any weight changes, and no tensor left of it. */
  async function expectRefused(
    model: LayersModel | FunctionModel,
    [xs, ys]: [tf.Tensor, tf.Tensor],
    args: FitOhemArgs,
    message: RegExp,
  ) {
    const weights = () => ('getWeights' in model ? model.getWeights() : (model.variables as tf.Tensor[]));
    const before = valuesOf(weights());
    const tensors = tf.memory().numTensors;
    await expect(fitOhem(model, xs, ys, {...ARGS, ...args})).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(tensors);
    expect(valuesOf(weights())).toEqual(before);
  }

  describe('are refused for a model of open length', () => {
    it.each<[string, () => tf.Tensor, RegExp]>([
      ['too many classes', () => tf.ones([8, 5, 4]), /validationData must .*categoricalCrossentropy: yTrue must/],
      ['a rank too few', () => tf.ones([8, 5]), /fitOhem: validationData must/],
      ['another length', () => classes(6), /fitOhem: validationData must/],
    ])('with %s', async (_, y, message) => {
      const validationData: [tf.Tensor, tf.Tensor] = [x(), y()];
      await expectRefused(sequences(), [x(), classes()], {validationData}, message);
    });

    it('with a label that is no class', async () => {
      const model = sequences(sparseCategoricalCrossentropy());
      const validationData: [tf.Tensor, tf.Tensor] = [x(), labels(7)];
      const message =
        /fitOhem: validationData must .*sparseCategoricalCrossentropy: yTrue must hold integers from 0 to 2/;
      await expectRefused(model, [x(), labels(1)], {validationData}, message);
    });

    it('as a dataset', async () => {
      const model = sequences();
      const before = valuesOf(model.getWeights());
      await expect(
        fitOhemDataset(model, [{xs: x(), ys: classes()}], {
          ...{epochs: 1, verbose: 0, validationData: [{xs: x(), ys: tf.ones([8, 5, 4])}]},
        }),
      ).rejects.toThrow(/fitOhemDataset: validationData must/);
      expect(valuesOf(model.getWeights())).toEqual(before);
    });

    it('with mined elements', async () => {
      const model = sequences(sparseCategoricalCrossentropy());
      const validationData: [tf.Tensor, tf.Tensor] = [x(), labels(7)];
      const args: FitOhemArgs = {validationData, granularity: 'element'};
      await expectRefused(model, [x(), labels(1)], args, /fitOhem: validationData must/);
    });
  });

  it('fit at any length', async () => {
    const validationData: [tf.Tensor, tf.Tensor] = [x(9, 3), classes(9, 3)];
    const tensors = tf.memory().numTensors;
    const {history} = await fitOhem(sequences(), x(), classes(), {...ARGS, validationData});
    expect(history.val_loss?.[0]).toBeGreaterThan(0);
    const own = tf.memory().numTensors - tensors;
    await fitOhem(sequences(), x(), classes(), {...ARGS, validationData});
    expect(tf.memory().numTensors - tensors).toBe(2 * own);
  });

  it.skipIf(backend === 'wasm')('fit at the length that a convolution leaves', async () => {
    const conv = layers.conv1d({filters: 3, kernelSize: 3, activation: 'softmax', inputShape: OPEN});
    const validationData: [tf.Tensor, tf.Tensor] = [x(9, 3), classes(7, 3)];
    const args = {...ARGS, validationData};
    const {history} = await fitOhem(sequences('categoricalCrossentropy', conv), x(), classes(3), args);
    expect(history.val_loss?.[0]).toBeGreaterThan(0);
  });

  describe('are refused for a function', () => {
    const dense = () => {
      const weight = tf.variable(tf.fill([2, 3], 0.1));
      const model: FunctionModel = {
        predict: (xs) => tf.softmax(tf.matMul(xs as tf.Tensor2D, weight as tf.Tensor2D)),
        variables: [weight],
      };
      return model;
    };
    const options = () => ({optimizer: tf.train.sgd(0.1), loss: sparseCategoricalCrossentropy()});
    const rows = (count = 8) => tf.ones([count, 2]);
    const zeros = (count = 8) => tf.zeros([count], 'int32');

    it.each([8, 3])('with %i rows and a label that is no class', async (count) => {
      const validationData: [tf.Tensor, tf.Tensor] = [rows(count), tf.fill([count], 7, 'int32')];
      const message = /fitOhem: validationData must .* hold integers from 0 to 2/;
      await expectRefused(dense(), [rows(), zeros()], {...options(), validationData}, message);
    });

    it('with another number of features', async () => {
      const validationData: [tf.Tensor, tf.Tensor] = [rows(), tf.ones([8, 4])];
      const args = {...options(), loss: meanSquaredError(), validationData};
      await expectRefused(dense(), [rows(), tf.ones([8, 3])], args, /fitOhem: validationData must .*yTrue must/);
    });

    it('with batches that are accumulated', async () => {
      const validationData: [tf.Tensor, tf.Tensor] = [rows(), tf.fill([8], 7, 'int32')];
      const args: FitOhemArgs = {...options(), validationData, accumulate: 2, selectOver: 'accumulated'};
      await expectRefused(dense(), [rows(), zeros()], args, /fitOhem: validationData must/);
    });

    it('with a joint loss', async () => {
      const loss = jointLoss(([y], [p]) => tf.mean(tf.squaredDifference(y as tf.Tensor, p as tf.Tensor), 1));
      const validationData: [tf.Tensor, tf.Tensor] = [rows(4), tf.ones([4, 5])];
      const args: FitOhemArgs = {...options(), loss, validationData};
      await expectRefused(dense(), [rows(), tf.ones([8, 3])], args, /fitOhem: validationData must/);
    });

    it('and fit if they are right', async () => {
      const validationData: [tf.Tensor, tf.Tensor] = [rows(5), zeros(5)];
      const args = {...ARGS, ...options(), validationData};
      const {history} = await fitOhem(dense(), rows(), zeros(), args);
      expect(history.val_loss?.[0]).toBeGreaterThan(0);
    });
  });

  it('of a later batch name the validation data too', async () => {
    const y = tf.tensor1d([0, 0, 0, 0, 0, 0, 0, 7], 'int32');
    const model = sequential({layers: [layers.dense({units: 3, activation: 'softmax', inputShape: [2]})]});
    model.compile({optimizer: 'sgd', loss: sparseCategoricalCrossentropy()});
    const xs = tf.ones([8, 2]);
    await expect(fitOhem(model, xs, tf.zeros([8], 'int32'), {...ARGS, validationData: [xs, y]})).rejects.toThrow(
      /fitOhem: validationData must .* hold integers from 0 to 2/,
    );
  });
});
