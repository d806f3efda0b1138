import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {multiMargin} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectLaw} from '../support/lossCases';
import {multiMarginOracle} from '../support/lossOracles';
import {lossGradient} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};
const second = () => tf.tensor2d([[0, 1, 0]]);

describeOnBackends('multiMargin', () => {
  it('is what every wrong class is nearer than 1 to the true one, divided by the number of classes', () => {
    const yTrue = tf.tensor2d([
      [0, 1, 0],
      [1, 0, 0],
    ]);
    const yPred = tf.tensor2d([
      [2, 1.5, 1],
      [4, 2, 3],
    ]);
    const losses = multiMargin()(yTrue, yPred);
    expect([losses.dtype, losses.shape]).toEqual(['float32', [2]]);
    expectClose(losses, [(1.5 + 0.5) / 3, 0], NEAR);
  });

  it('asks for any margin, also for none and for less than none', () => {
    const scores = tf.tensor2d([[2, 1.5, 1]]);
    expectClose(multiMargin({margin: 0})(second(), scores), [0.5 / 3], NEAR);
    expectClose(multiMargin({margin: 2})(second(), scores), [(2.5 + 1.5) / 3], NEAR);
    expectClose(multiMargin({margin: -0.25})(second(), scores), [0.25 / 3], NEAR);
  });

  it('pushes each class that is too near, and pulls the true one as often', () => {
    const gradient = lossGradient(multiMargin(), tf.tensor2d([[0, 1, 0, 0]]), tf.tensor2d([[2, 1.5, 1, 0]]));
    expectClose(gradient, [0.25, -0.5, 0.25, 0], NEAR);
  });

  it('has a gradient for a row of zeros, in which no class leads', () => {
    expectClose(multiMargin()(second(), tf.zeros([1, 3])), [2 / 3], NEAR);
    expectClose(lossGradient(multiMargin(), second(), tf.zeros([1, 3])), [1 / 3, -2 / 3, 1 / 3], NEAR);
  });

  it('keeps loss and gradient of scores of ±80', () => {
    const scores = tf.tensor2d([[80, -80, -80]]);
    expectClose(multiMargin()(second(), scores), [(161 + 1) / 3], NEAR);
    expectClose(lossGradient(multiMargin(), second(), scores), [1 / 3, -2 / 3, 1 / 3], NEAR);
  });

  it('gives the values and the gradient of its formula in float64', () => {
    expectLaw(fc.constantFrom(1, 0, -2, 10), (margin) => ({
      loss: multiMargin({margin}),
      oracle: multiMarginOracle(margin),
    }));
  });

  it('refuses integer labels and says what to do, and predictions without classes', () => {
    expect(() => multiMargin()(tf.tensor1d([1, 2]), tf.ones([2, 3]))).toThrow(
      new TypeError(
        'multiMargin: yTrue must have the shape of yPred, [2, 3], got [2]. For integer labels pass tf.oneHot(labels, C).',
      ),
    );
    expect(() => multiMargin()(tf.ones([2]), tf.ones([2]))).toThrow(
      new TypeError('multiMargin: yPred must have shape [B, …, C], got [2].'),
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses a margin of %d when it is built', (margin) => {
    expect(() => multiMargin({margin})).toThrow(
      new RangeError(`multiMargin: margin must be a finite number, got ${margin}.`),
    );
  });
});
