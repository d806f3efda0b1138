import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {fromLayersLoss, poisson} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectLaw, probabilitiesFor} from '../support/lossCases';
import {poissonOracle} from '../support/lossOracles';
import {lossGradient, valuesOf} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};

describeOnBackends('poisson', () => {
  it('is the rate less the count times its logarithm, on average over the features', () => {
    const losses = poisson()(tf.tensor2d([[3, 0]]), tf.tensor2d([[2, 0.5]]));
    expect([losses.dtype, losses.shape]).toEqual(['float32', [1]]);
    expectClose(losses, [(2 - 3 * Math.log(2) + 0.5) / 2], NEAR);
  });

  it('has a gradient of 0 where the rate is the count', () => {
    const gradient = lossGradient(poisson(), tf.tensor2d([[3], [3], [3]]), tf.tensor2d([[3], [1.5], [6]]));
    expectClose(gradient, [0, -1, 0.5], NEAR);
  });

  it('keeps the gradient 1 − y / p down to a rate of 1e-30', () => {
    const rows = [tf.tensor2d([[2], [2]]), tf.tensor2d([[1e-30], [1e-7]])] as const;
    expectClose(poisson()(...rows), [60 * Math.LN10, 14 * Math.LN10], {absolute: 1e-3, relative: 1e-5});
    expectClose(lossGradient(poisson(), ...rows), [-2e30, 1 - 2e7], {absolute: 0, relative: 2e-4});
  });

  it('keeps the gradient through an exponential that is all but 0', () => {
    const throughExp = (y: tf.Tensor, x: tf.Tensor) => poisson()(y, tf.exp(x));
    const gradient = lossGradient(throughExp, tf.tensor2d([[2], [0]]), tf.tensor2d([[-69], [-69]]));
    expectClose(gradient, [-2, 0], {absolute: 1e-6, relative: 2e-4});
  });

  it('stays finite for a rate of 0, and pulls it up if something was counted', () => {
    const rows = [tf.tensor2d([[0], [1], [1000]]), tf.zeros([3, 1])] as const;
    const atLeast = -34 * Math.LN10;
    expectClose(poisson()(...rows), [0, -atLeast, -1000 * atLeast], {absolute: 1e-6, relative: 1e-5});
    expectClose(lossGradient(poisson(), ...rows), [1, -1e34, -1e37], {absolute: 0, relative: 1e-5});
  });

  it('is NaN for a negative rate, which trainers leave out and count', () => {
    expect(valuesOf(() => poisson()(tf.tensor2d([[0], [1]]), tf.tensor2d([[-0.5], [1]])))).toEqual([Number.NaN, 1]);
  });

  it('gives the values and the gradient of its formula in float64', () => {
    expectLaw(fc.constant({}), (_, sizes) => ({
      loss: poisson(),
      oracle: poissonOracle,
      predicted: probabilitiesFor(sizes).map((rate) => Math.fround(9 * rate)),
    }));
  });

  it('agrees with tfjs-layers where its 1e-7 makes no difference', () => {
    const yTrue = tf.tensor2d([0, 1, 2, 3, 0, 9], [2, 3]);
    const yPred = tf.tensor2d([0.5, 1, 1.5, 4, 2, 3], [2, 3]);
    expectClose(poisson()(yTrue, yPred), fromLayersLoss('poisson')(yTrue, yPred), NEAR);
  });
});
