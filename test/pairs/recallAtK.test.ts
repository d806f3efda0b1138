import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {all, fitOhem} from 'ohem-tfjs';
import {recallAtK, tripletLoss} from 'ohem-tfjs/pairs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';

describeOnBackends('recallAtK', () => {
  it('is logged under its k', async () => {
    const model = sequential({layers: [layers.dense({units: 2, inputShape: [2]})]});
    const metrics = [recallAtK(), recallAtK({k: 5})];
    model.compile({optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError', metrics});
    const y = tf.tensor2d([[0], [0], [1], [1]]);
    const x = tf.randomNormal([4, 2], 0, 1, 'float32', 3);
    const given = {loss: tripletLoss(), select: all(), epochs: 1, verbose: 0 as const, validationData: [x, y] as never};
    const {history} = await fitOhem(model, x, y, given);
    expect(Object.keys(history)).toEqual(
      expect.arrayContaining(['recallAt1', 'recallAt5', 'val_recallAt1', 'val_recallAt5']),
    );
  });
});
