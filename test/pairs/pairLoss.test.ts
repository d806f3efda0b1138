import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {ohemStep, topK} from 'ohem-tfjs';
import {contrastiveLoss, tripletLoss} from 'ohem-tfjs/pairs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {trainsOn} from '../support/wasmTraining';

describeOnBackends('A loss of pairs', (backend) => {
  trainsOn(backend);

  it.each([
    ['tripletLoss', tripletLoss({margin: 9})],
    ['contrastiveLoss', contrastiveLoss({negativeMargin: 9})],
  ] as const)('is named if a step says why all rows run backward: %s', (name, loss) => {
    const model = sequential({layers: [layers.dense({units: 3, inputShape: [2]})]});
    const step = ohemStep(model, {loss, select: topK({k: 4}), optimizer: tf.train.sgd(0.1)});
    step(tf.randomNormal([5, 2], 0, 1, 'float32', 3), tf.tensor1d([0, 0, 1, 1, 1], 'int32')).dispose();
    expect(step.why).toContain(`because rows may interact in the loss (${name})`);
  });
});
