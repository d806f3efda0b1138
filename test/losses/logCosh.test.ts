import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {fromLayersLoss, logCosh} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectLaw} from '../support/lossCases';
import {logCoshOracle} from '../support/lossOracles';
import {lossGradient} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};

describeOnBackends('logCosh', () => {
  it('is the mean of log cosh of the errors over the features', () => {
    const losses = logCosh()(tf.tensor2d([[0, 1]]), tf.tensor2d([[1, -1]]));
    expect([losses.dtype, losses.shape]).toEqual(['float32', [1]]);
    expectClose(losses, [(Math.log(Math.cosh(1)) + Math.log(Math.cosh(2))) / 2], NEAR);
  });

  it('does not overflow for errors of 1e4 and far over it', () => {
    const errors = [1e4, -1e4, 1e30, -80];
    const rows = [tf.zeros([4, 1]), tf.tensor2d(errors, [4, 1])] as const;
    expectClose(
      logCosh()(...rows),
      errors.map((error) => Math.abs(error) - Math.LN2),
      NEAR,
    );
    expectClose(lossGradient(logCosh(), ...rows), [1, -1, 1, -1], NEAR);
  });

  it('has tanh of the error as its gradient, 0 at 0', () => {
    const errors = [0, 1e-3, -0.1, 1, -3];
    const gradient = lossGradient(logCosh(), tf.zeros([5, 1]), tf.tensor2d(errors, [5, 1]));
    expectClose(gradient, errors.map(Math.tanh), NEAR);
    expect(gradient[0]).toBe(0);
  });

  it('gives the values and the gradient of its formula in float64', () => {
    expectLaw(fc.constant({}), () => ({loss: logCosh(), oracle: logCoshOracle}));
  });

  it('agrees with tfjs-layers where that does not overflow', () => {
    const yTrue = tf.randomNormal([20, 3], 0, 1, 'float32', 1);
    const yPred = tf.randomNormal([20, 3], 0, 1, 'float32', 2);
    expectClose(logCosh()(yTrue, yPred), fromLayersLoss('logcosh')(yTrue, yPred), NEAR);
  });
});
