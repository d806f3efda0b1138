import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {halfSquaredError, meanSquaredError} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectLaw} from '../support/lossCases';
import {halfSquaredOracle, meanSquaredOracle} from '../support/lossOracles';
import {leftBy, lossGradient} from '../support/tensors';

const FAMILY = [
  {name: 'meanSquaredError', loss: meanSquaredError(), oracle: meanSquaredOracle},
  {name: 'halfSquaredError', loss: halfSquaredError(), oracle: halfSquaredOracle},
];
const NEAR = {absolute: 1e-6, relative: 1e-6};

describeOnBackends('meanSquaredError', () => {
  it('is the mean of the squared errors over the features', () => {
    const yTrue = tf.tensor2d([
      [0, 1, 2],
      [1, 1, 1],
    ]);
    const yPred = tf.tensor2d([
      [2, 1, 0.5],
      [1, 1, 1],
    ]);
    const losses = meanSquaredError()(yTrue, yPred);
    expect([losses.dtype, losses.shape]).toEqual(['float32', [2]]);
    expectClose(losses, [(4 + 0 + 2.25) / 3, 0], NEAR);
  });

  it('agrees with tfjs-layers', () => {
    const yTrue = tf.randomNormal([20, 3], 0, 1, 'float32', 1);
    const yPred = tf.randomNormal([20, 3], 0, 1, 'float32', 2);
    expectClose(meanSquaredError()(yTrue, yPred), tfl.metrics.meanSquaredError(yTrue, yPred), NEAR);
  });
});

describeOnBackends('halfSquaredError', () => {
  it('is half the sum of the squared errors over the features', () => {
    const losses = halfSquaredError()(tf.tensor2d([[0, 1, 2]]), tf.tensor2d([[2, 1, 0.5]]));
    expect([losses.dtype, losses.shape]).toEqual(['float32', [1]]);
    expectClose(losses, [(4 + 0 + 2.25) / 2], NEAR);
  });

  it('has the error itself as its gradient', () => {
    const gradient = lossGradient(halfSquaredError(), tf.tensor2d([[0, 1, 2]]), tf.tensor2d([[2, 1, 0.5]]));
    expectClose(gradient, [2, 0, -1.5], NEAR);
  });
});

describeOnBackends('The squared errors', () => {
  it.each(FAMILY)('$name gives the values and the gradient of its formula in float64', ({loss, oracle}) => {
    expectLaw(fc.constant({}), () => ({loss, oracle}));
  });

  it.each(FAMILY)('$name takes a truth [B] with predictions [B, 1], also for one row', ({loss}) => {
    for (const batchSize of [1, 3]) {
      for (const truth of [tf.ones([batchSize]), tf.ones([batchSize, 1])]) {
        for (const predicted of [tf.ones([batchSize]), tf.ones([batchSize, 1])]) {
          const losses = loss(truth, predicted);
          expect([losses.shape, [...losses.dataSync()]]).toEqual([[batchSize], Array(batchSize).fill(0)]);
        }
      }
    }
  });

  it.each(FAMILY)('$name takes an integer truth', ({loss}) => {
    const losses = loss(tf.tensor2d([[3]], [1, 1], 'int32'), tf.tensor2d([[3]]));
    expect([losses.dtype, [...losses.dataSync()]]).toEqual(['float32', [0]]);
  });

  it.each(FAMILY)('$name refuses a truth of another shape', ({name, loss}) => {
    expect(() => loss(tf.ones([2]), tf.ones([2, 3]))).toThrow(
      new TypeError(`${name}: yTrue must have the shape of yPred, [2, 3], got [2].`),
    );
    expect(() => loss(tf.ones([1, 3]), tf.ones([2, 3]))).toThrow(
      new TypeError(`${name}: yTrue must have the shape of yPred, [2, 3], got [1, 3].`),
    );
  });

  it.each(FAMILY)('$name refuses a scalar prediction', ({name, loss}) => {
    expect(() => loss(tf.scalar(1), tf.scalar(1))).toThrow(
      new TypeError(`${name}: yPred must have a batch axis, got [].`),
    );
  });

  it.each(FAMILY)('$name leaks nothing, in value, gradient and error, and leaves its inputs alone', ({loss}) => {
    const [yTrue, yPred, wrong] = [tf.tensor2d([[1, 0]]), tf.tensor2d([[0.25, 0.5]]), tf.ones([3])];
    expect(leftBy(() => loss(yTrue, yPred))).toBe(0);
    expect(leftBy(() => tf.grad((x) => tf.sum(loss(yTrue, x)))(yPred))).toBe(0);
    expect(leftBy(() => void expect(() => loss(wrong, yPred)).toThrow())).toBe(0);
    expect([[...yTrue.dataSync()], [...yPred.dataSync()]]).toEqual([
      [1, 0],
      [0.25, 0.5],
    ]);
  });
});
