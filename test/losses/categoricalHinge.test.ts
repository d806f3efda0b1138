import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {categoricalHinge, fromLayersLoss} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectLaw} from '../support/lossCases';
import {categoricalHingeOracle} from '../support/lossOracles';
import {lossGradient} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};
const second = () => tf.tensor2d([[0, 1, 0]]);

describeOnBackends('categoricalHinge', () => {
  it('is what the true class lacks to a lead of 1 over the strongest rival', () => {
    const yTrue = tf.tensor2d([
      [0, 1, 0],
      [1, 0, 0],
    ]);
    const yPred = tf.tensor2d([
      [2, 1.5, -3],
      [4, 2, 3],
    ]);
    const losses = categoricalHinge()(yTrue, yPred);
    expect([losses.dtype, losses.shape]).toEqual(['float32', [2]]);
    expectClose(losses, [1.5, 0], NEAR);
  });

  it('counts rivals as at least 0, as Keras does', () => {
    expectClose(categoricalHinge()(second(), tf.tensor2d([[-5, 0.25, -7]])), [0.75], NEAR);
  });

  it('pushes the strongest rival and pulls the true class', () => {
    expectClose(lossGradient(categoricalHinge(), second(), tf.tensor2d([[2, 1.5, 3]])), [0, -1, 1], NEAR);
    expectClose(lossGradient(categoricalHinge(), second(), tf.tensor2d([[2, 9, 3]])), [0, 0, 0], NEAR);
  });

  it('shares the push between rivals that are equally strong, where tfjs gives the whole of it to each', () => {
    expectClose(lossGradient(categoricalHinge(), second(), tf.tensor2d([[2, 1, 2]])), [0.5, -1, 0.5], NEAR);
    const ofLayers = lossGradient(fromLayersLoss('categoricalHinge'), second(), tf.tensor2d([[2, 1, 2]]));
    expectClose(ofLayers, [1, -1, 1], NEAR);
  });

  it('has a gradient for a row of zeros, in which no class leads', () => {
    expectClose(categoricalHinge()(second(), tf.zeros([1, 3])), [1], NEAR);
    expectClose(lossGradient(categoricalHinge(), second(), tf.zeros([1, 3])), [1 / 3, -1, 1 / 3], NEAR);
  });

  it('keeps loss and gradient of scores of ±80', () => {
    const scores = tf.tensor2d([[80, -80, 0]]);
    expectClose(categoricalHinge()(second(), scores), [161], NEAR);
    expectClose(lossGradient(categoricalHinge(), second(), scores), [1, -1, 0], NEAR);
  });

  it('gives the values and the gradient of its formula in float64', () => {
    expectLaw(fc.constant({}), () => ({loss: categoricalHinge(), oracle: categoricalHingeOracle}));
  });

  it('agrees with tfjs-layers', () => {
    const yTrue = tf.oneHot(tf.tensor1d([0, 1, 2, 0], 'int32'), 3);
    const yPred = tf.randomNormal([4, 3], 0, 2, 'float32', 2);
    expectClose(categoricalHinge()(yTrue, yPred), fromLayersLoss('categoricalHinge')(yTrue, yPred), NEAR);
  });

  it('refuses integer labels and says what to do, and predictions without classes', () => {
    expect(() => categoricalHinge()(tf.tensor1d([1, 2]), tf.ones([2, 3]))).toThrow(
      new TypeError(
        'categoricalHinge: yTrue must have the shape of yPred, [2, 3], got [2]. For integer labels pass tf.oneHot(labels, C).',
      ),
    );
    expect(() => categoricalHinge()(tf.ones([2]), tf.ones([2]))).toThrow(
      new TypeError('categoricalHinge: yPred must have shape [B, …, C], got [2].'),
    );
  });
});
