import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {all, fitOhem, sparseCategoricalCrossentropy} from 'ohem-tfjs';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';

const IGNORED = 255;

describeOnBackends('Validation on few labels', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  /** Predicts class 0 of 2, a little more than the other, at 4 × 4 pixels. */
  function pixelModel() {
    const kernel = {kernelInitializer: 'zeros', biasInitializer: 'zeros'} as const;
    const model = sequential({
      layers: [layers.dense({units: 2, activation: 'softmax', inputShape: [4, 4, 1], ...kernel})],
    });
    model.setWeights([tf.zeros([1, 2]), tf.tensor1d([0.5, 0])]);
    model.compile({optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['accuracy']});
    return model;
  }

  const labelled = (labels: number[]) => {
    const values = Int32Array.from({length: 32}, (_, pixel) => labels[pixel] ?? IGNORED);
    return tf.tensor3d(values, [2, 4, 4], 'int32');
  };
  const x = () => tf.ones<tf.Rank.R4>([2, 4, 4, 1]);
  const args = {
    ...{loss: sparseCategoricalCrossentropy({ignoreLabel: IGNORED}), select: all(), learningRate: 0, verbose: 0},
    ...{epochs: 2, restoreBestWeights: true},
  } as const;

  it('has the accuracy of these, also if they are fewer than one row', async () => {
    const validationData: [tf.Tensor4D, tf.Tensor3D] = [x(), labelled([0, 0, 0, 1])];
    const {history} = await fitOhem(pixelModel(), x(), labelled([0]), {...args, validationData});
    expectClose(history.val_acc as number[], [0.75, 0.75], {absolute: 1e-6, relative: 1e-6});
    expectClose(history.acc as number[], [1, 1], {absolute: 1e-6, relative: 1e-6});
  });

  it('has no loss and no accuracy without any, neither of which is 0 or the best', async () => {
    const validationData: [tf.Tensor4D, tf.Tensor3D] = [x(), labelled([])];
    const {history, state} = await fitOhem(pixelModel(), x(), labelled([0]), {...args, validationData});
    expect(history.val_loss).toEqual([Number.NaN, Number.NaN]);
    expect(history.val_acc).toEqual([Number.NaN, Number.NaN]);
    expect(state.best).toBeUndefined();
  });
});
