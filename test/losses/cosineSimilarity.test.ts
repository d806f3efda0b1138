import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {cosineSimilarity} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectLaw} from '../support/lossCases';
import {cosineOracle} from '../support/lossOracles';
import {lossGradient} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};
const east = () => tf.tensor2d([[1, 0]]);

describeOnBackends('cosineSimilarity', () => {
  it('is −1 for the same direction, 0 for a right angle and 1 for the opposite direction', () => {
    const yTrue = tf.tensor2d([
      [2, 0],
      [2, 0],
      [2, 0],
      [2, 0],
    ]);
    const yPred = tf.tensor2d([
      [5, 0],
      [0, 5],
      [-5, 0],
      [3, 4],
    ]);
    const losses = cosineSimilarity()(yTrue, yPred);
    expect([losses.dtype, losses.shape]).toEqual(['float32', [4]]);
    expectClose(losses, [-1, 0, 1, -0.6], NEAR);
  });

  it('does not ask for the length, from 1e-6 to 1e15', () => {
    for (const length of [1e-6, 1, 1e15]) {
      const yPred = tf.tensor2d([[3 * length, 4 * length]]);
      expectClose(cosineSimilarity()(east(), yPred), [-0.6], NEAR);
      const gradient = lossGradient(cosineSimilarity(), east(), yPred);
      expectClose(
        gradient.map((value) => value * length),
        [-0.128, 0.096],
        {absolute: 1e-7, relative: 1e-5},
      );
    }
  });

  it('is 0 for a vector of zeros, predicted or true, with a finite gradient that turns it to the truth', () => {
    const zero = tf.zeros([1, 2]);
    expectClose(cosineSimilarity()(east(), zero), [0], NEAR);
    expectClose(lossGradient(cosineSimilarity(), east(), zero), [-1e7, 0], {absolute: 0, relative: 1e-5});
    expectClose(cosineSimilarity()(zero, east()), [0], NEAR);
    expectClose(lossGradient(cosineSimilarity(), zero, east()), [0, 0], NEAR);
    expectClose(lossGradient(cosineSimilarity(), zero, zero), [0, 0], NEAR);
  });

  it('gives the values and the gradient of its formula in float64', () => {
    expectLaw(fc.constant({}), () => ({loss: cosineSimilarity(), oracle: cosineOracle}));
  });

  it('agrees with cosineProximity of tfjs-layers', () => {
    const yTrue = tf.randomNormal([20, 3], 0, 1, 'float32', 1);
    const yPred = tf.randomNormal([20, 3], 0, 1, 'float32', 2);
    expectClose(cosineSimilarity()(yTrue, yPred), tfl.metrics.cosineProximity(yTrue, yPred), NEAR);
  });
});
