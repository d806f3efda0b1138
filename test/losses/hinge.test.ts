import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {fromLayersLoss, hinge, type LossName, squaredHinge} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectLaw} from '../support/lossCases';
import {hingeOracle} from '../support/lossOracles';
import {lossGradient, valuesOf} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};
const FAMILY = [
  {name: 'hinge', loss: hinge(), power: 1},
  {name: 'squaredHinge', loss: squaredHinge(), power: 2},
];

describeOnBackends('The hinges', () => {
  it.each(FAMILY)('$name is what a score lacks to a margin of 1, on average over the labels', ({loss, power}) => {
    const yTrue = tf.tensor2d([
      [1, -1],
      [1, 1],
    ]);
    const yPred = tf.tensor2d([
      [0.25, 0.25],
      [1, 5],
    ]);
    const losses = loss(yTrue, yPred);
    expect([losses.dtype, losses.shape]).toEqual(['float32', [2]]);
    expectClose(losses, [(0.75 ** power + 1.25 ** power) / 2, 0], NEAR);
  });

  it.each(FAMILY)('$name reads labels 0 and 1 as −1 and 1, of any dtype', ({loss}) => {
    const yPred = tf.tensor2d([[0.25], [0.25], [-2]]);
    const ofSigns = valuesOf(() => loss(tf.tensor2d([[1], [-1], [-1]]), yPred));
    for (const dtype of ['float32', 'int32', 'bool'] as const) {
      expect(valuesOf(() => loss(tf.tensor2d([1, 0, 0], [3, 1], dtype), yPred))).toEqual(ofSigns);
    }
  });

  it.each(FAMILY)('$name pulls scores within the margin, and no others, also at the margin itself', ({loss, power}) => {
    const yTrue = tf.tensor2d([[1], [1], [0], [0], [1], [0]]);
    const yPred = tf.tensor2d([[0], [2], [0], [-2], [1], [-1]]);
    expectClose(lossGradient(loss, yTrue, yPred), [-power, 0, power, 0, 0, 0], NEAR);
  });

  it.each(FAMILY)('$name keeps loss and gradient of scores of ±80', ({loss, power}) => {
    const rows = [tf.tensor2d([[1], [0], [1]]), tf.tensor2d([[-80], [80], [80]])] as const;
    expectClose(loss(...rows), [81 ** power, 81 ** power, 0], NEAR);
    const slope = power * 81 ** (power - 1);
    expectClose(lossGradient(loss, ...rows), [-slope, slope, 0], NEAR);
  });

  it.each(FAMILY)('$name gives the values and the gradient of its formula in float64', ({loss, power}) => {
    expectLaw(fc.constant({}), () => ({loss, oracle: hingeOracle(power)}));
  });

  it.each(FAMILY)('$name agrees with tfjs-layers for labels −1 and 1', ({name, loss}) => {
    const yTrue = tf.tensor2d([1, -1, -1, 1, 1, -1], [2, 3]);
    const yPred = tf.randomNormal([2, 3], 0, 1, 'float32', 2);
    expectClose(loss(yTrue, yPred), fromLayersLoss(name as LossName)(yTrue, yPred), NEAR);
  });
});
