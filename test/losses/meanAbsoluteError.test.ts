import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {meanAbsoluteError} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectLaw} from '../support/lossCases';
import {meanAbsoluteOracle} from '../support/lossOracles';
import {lossGradient} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};

describeOnBackends('meanAbsoluteError', () => {
  it('is the mean of the distances over the features', () => {
    const losses = meanAbsoluteError()(tf.tensor2d([[0, 1, 2]]), tf.tensor2d([[2, 1, 0.5]]));
    expect([losses.dtype, losses.shape]).toEqual(['float32', [1]]);
    expectClose(losses, [3.5 / 3], NEAR);
  });

  it('pulls every error with the same strength, and a prediction that is right not at all', () => {
    const gradient = lossGradient(meanAbsoluteError(), tf.tensor2d([[0, 1, 2, 0]]), tf.tensor2d([[1e-6, 1, -1e4, -0]]));
    expectClose(gradient, [0.25, 0, -0.25, 0], NEAR);
  });

  it('gives the values and the gradient of its formula in float64', () => {
    expectLaw(fc.constant({}), () => ({loss: meanAbsoluteError(), oracle: meanAbsoluteOracle}));
  });

  it('agrees with tfjs-layers', () => {
    const yTrue = tf.randomNormal([20, 3], 0, 1, 'float32', 1);
    const yPred = tf.randomNormal([20, 3], 0, 1, 'float32', 2);
    expectClose(meanAbsoluteError()(yTrue, yPred), tfl.metrics.meanAbsoluteError(yTrue, yPred), NEAR);
  });
});
