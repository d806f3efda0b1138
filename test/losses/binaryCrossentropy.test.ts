import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {binaryCrossentropy} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectAsOracle, LOSS_RUNS, lossCases, predictionsFor, truthFor} from '../support/lossCases';
import {binaryOracle} from '../support/lossOracles';
import {leftBy, lossGradient, valuesOf} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};

describeOnBackends('binaryCrossentropy', () => {
  it('is the negative logarithm of the probability of what is true', () => {
    const losses = binaryCrossentropy()(tf.tensor2d([[1], [0]]), tf.tensor2d([[0.25], [0.25]]));
    expect([losses.dtype, losses.shape]).toEqual(['float32', [2]]);
    expectClose(losses, [Math.log(4), Math.log(4 / 3)], NEAR);
  });

  it('is the mean over the labels of an example', () => {
    const losses = binaryCrossentropy()(tf.tensor2d([[1, 0]]), tf.tensor2d([[0.25, 0.25]]));
    expectClose(losses, [(Math.log(4) + Math.log(4 / 3)) / 2], NEAR);
  });

  it('takes logits', () => {
    const loss = binaryCrossentropy({fromLogits: true});
    const logits = tf.tensor2d([[-Math.log(3)], [-Math.log(3)]]); // sigmoid is ¼
    expectClose(loss(tf.tensor2d([[1], [0]]), logits), [Math.log(4), Math.log(4 / 3)], NEAR);
  });

  it('draws the smoothed truth towards ½', () => {
    const losses = binaryCrossentropy({labelSmoothing: 0.2})(tf.tensor2d([[1]]), tf.tensor2d([[0.25]]));
    expectClose(losses, [-(0.9 * Math.log(0.25) + 0.1 * Math.log(0.75))], NEAR);
  });

  it.each([1, 3])('takes labels [B] with predictions [B, 1], and the other way round, for B = %i', (batchSize) => {
    const loss = binaryCrossentropy();
    const shapes = [[batchSize], [batchSize, 1]];
    for (const yTrue of shapes.map((shape) => tf.ones(shape))) {
      for (const yPred of shapes.map((shape) => tf.fill(shape, 0.25))) {
        expectClose(loss(yTrue, yPred), Array(batchSize).fill(Math.log(4)), NEAR);
        expect(loss(yTrue, yPred).shape).toEqual([batchSize]);
      }
    }
  });

  it('takes a missing or additional last axis of 1 with further axes of 1', () => {
    const loss = binaryCrossentropy();
    const losses = loss(tf.ones([2, 1]), tf.fill([2, 1, 1], 0.25));
    expect(losses.shape).toEqual([2, 1]);
    expectClose(losses, [Math.log(4), Math.log(4)], NEAR);
  });

  it('gives the values and the gradient of its formula in float64, whatever the options and the axes', () => {
    fc.assert(
      fc.property(lossCases(), fc.boolean(), fc.constantFrom(0, 0.1, 0.7), (sizes, fromLogits, labelSmoothing) => {
        const options = {fromLogits, labelSmoothing};
        const predicted = predictionsFor(sizes, fromLogits);
        expectAsOracle(binaryCrossentropy(options), binaryOracle(options), sizes, truthFor(sizes), predicted);
      }),
      LOSS_RUNS,
    );
  });

  it('agrees with tfjs-layers and tfjs-core wherever those do not clip', () => {
    const logits = tf.randomUniform([20, 3], -6, 6, 'float32', 3) as tf.Tensor2D;
    const yTrue = tf.cast(tf.greater(tf.randomUniform([20, 3], 0, 1, 'float32', 4), 0.5), 'float32');
    const ofLayers = tfl.metrics.binaryCrossentropy(yTrue, tf.sigmoid(logits));
    expectClose(binaryCrossentropy()(yTrue, tf.sigmoid(logits)), ofLayers, {absolute: 1e-5, relative: 1e-4});
    const ofCore = tf.mean(
      tf.losses.sigmoidCrossEntropy(yTrue, logits, undefined, 0.1, tf.Reduction.NONE) as tf.Tensor,
      -1,
    );
    const ours = binaryCrossentropy({fromLogits: true, labelSmoothing: 0.1})(yTrue, logits);
    expectClose(ours, ofCore, {absolute: 1e-5, relative: 1e-5});
  });

  it.each([-69.1, -25, -3, 3])('keeps the gradient of a miss through a sigmoid of %d', (logit) => {
    const throughSigmoid = (y: tf.Tensor, x: tf.Tensor) => binaryCrossentropy()(y, tf.sigmoid(x));
    const gradient = lossGradient(throughSigmoid, tf.tensor2d([[1]]), tf.tensor2d([[logit]]));
    expectClose(gradient, [-1 / (1 + Math.exp(logit))], {absolute: 0, relative: 1e-3});
  });

  it('keeps the gradient of a false alarm through a sigmoid as far as 1 − p is a number', () => {
    const throughSigmoid = (y: tf.Tensor, x: tf.Tensor) => binaryCrossentropy()(y, tf.sigmoid(x));
    const gradient = lossGradient(throughSigmoid, tf.tensor2d([[0]]), tf.tensor2d([[6]]));
    expectClose(gradient, [1 / (1 + Math.exp(-6))], {absolute: 0, relative: 1e-3});
  });

  it.each([
    {truth: 1, logit: -80, loss: 80, gradient: -1},
    {truth: 0, logit: 80, loss: 80, gradient: 1},
    {truth: 1, logit: 80, loss: 0, gradient: 0},
    {truth: 0, logit: -80, loss: 0, gradient: 0},
    {truth: 1, logit: -1000, loss: 1000, gradient: -1},
  ])('keeps loss and gradient of the logit $logit where the truth is $truth', ({truth, logit, loss, gradient}) => {
    const rows = [tf.tensor2d([[truth]]), tf.tensor2d([[logit]])] as const;
    const ofLogits = binaryCrossentropy({fromLogits: true});
    expectClose(ofLogits(...rows), [loss], NEAR);
    expectClose(lossGradient(ofLogits, ...rows), [gradient], NEAR);
  });

  it('stays finite for probabilities of exactly 0 and 1, in value and gradient', () => {
    const rows = [tf.tensor2d([[1], [0], [0], [1]]), tf.tensor2d([[0], [1], [0], [1]])] as const;
    expectClose(binaryCrossentropy()(...rows), [126 * Math.LN2, 126 * Math.LN2, 0, 0], NEAR);
    expect(lossGradient(binaryCrossentropy(), ...rows).every(Number.isFinite)).toBe(true);
    const smoothed = binaryCrossentropy({labelSmoothing: 0.1});
    expect(valuesOf(() => smoothed(...rows)).every(Number.isFinite)).toBe(true);
    expect(lossGradient(smoothed, ...rows).every(Number.isFinite)).toBe(true);
  });

  it('refuses a truth of another shape', () => {
    expect(() => binaryCrossentropy()(tf.ones([2, 2]), tf.ones([2, 3]))).toThrow(
      new TypeError('binaryCrossentropy: yTrue must have the shape of yPred, [2, 3], got [2, 2].'),
    );
    expect(() => binaryCrossentropy()(tf.ones([3]), tf.ones([2]))).toThrow(
      new TypeError('binaryCrossentropy: yTrue must have the shape of yPred, [2, 1], got [3].'),
    );
  });

  it('refuses a scalar prediction', () => {
    expect(() => binaryCrossentropy()(tf.scalar(1), tf.scalar(1))).toThrow(
      new TypeError('binaryCrossentropy: yPred must have a batch axis, got [].'),
    );
  });

  it('refuses wrong options when it is built, not when it runs', () => {
    for (const labelSmoothing of [-0.1, 1, Number.NaN]) {
      expect(() => binaryCrossentropy({labelSmoothing})).toThrow(
        new RangeError(`binaryCrossentropy: labelSmoothing must be in [0, 1), got ${labelSmoothing}.`),
      );
    }
  });

  it('leaks nothing, in value, gradient and error, and leaves its inputs alone', () => {
    const loss = binaryCrossentropy({labelSmoothing: 0.1});
    const [yTrue, yPred] = [tf.tensor1d([1, 0]), tf.tensor2d([[0.25], [0.5]])];
    expect(leftBy(() => loss(yTrue, yPred))).toBe(0);
    expect(leftBy(() => tf.grad((x) => tf.sum(loss(yTrue, x)))(yPred))).toBe(0);
    const wrong = tf.ones([3]);
    expect(leftBy(() => void expect(() => loss(wrong, yPred)).toThrow())).toBe(0);
    expect([[...yTrue.dataSync()], [...yPred.dataSync()]]).toEqual([
      [1, 0],
      [0.25, 0.5],
    ]);
  });
});
