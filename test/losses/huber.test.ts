import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {huber, meanAbsoluteError, smoothL1} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectLaw} from '../support/lossCases';
import {huberOracle, smoothL1Oracle} from '../support/lossOracles';
import {lossGradient, valuesOf} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};
const bends = fc.constantFrom(0.5, 1, 4, 20);
const zeros = (count: number) => tf.zeros([1, count]);

describeOnBackends('huber', () => {
  it('is half the square up to delta and a line of that slope over it', () => {
    const predicted = tf.tensor2d([[0.5], [1], [3], [-3]]);
    const losses = huber()(tf.zeros([4, 1]), predicted);
    expect([losses.dtype, losses.shape]).toEqual(['float32', [4]]);
    expectClose(losses, [0.125, 0.5, 2.5, 2.5], NEAR);
    expectClose(huber({delta: 2})(tf.zeros([4, 1]), predicted), [0.125, 0.5, 4, 4], NEAR);
  });

  it('is the mean over the features', () => {
    expectClose(huber()(zeros(2), tf.tensor2d([[0.5, 3]])), [(0.125 + 2.5) / 2], NEAR);
  });

  it('has the error as its gradient, but never more than delta, also at the bend', () => {
    const gradient = lossGradient(huber({delta: 2}), zeros(7), tf.tensor2d([[0, 0.5, 2, -2, 3, -3, 1e30]]));
    expectClose(
      gradient.map((value) => 7 * value),
      [0, 0.5, 2, -2, 2, -2, 2],
      NEAR,
    );
  });

  it('stays exact for errors of any size', () => {
    expectClose(huber()(zeros(1), tf.tensor2d([[1e30]])), [1e30], NEAR);
    expectClose(huber()(zeros(1), tf.tensor2d([[1e-15]])), [5e-31], {absolute: 0, relative: 1e-6});
  });

  it('gives the values and the gradient of its formula in float64', () => {
    expectLaw(bends, (delta) => ({loss: huber({delta}), oracle: huberOracle(delta)}));
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a delta of %d when it is built', (delta) => {
    expect(() => huber({delta})).toThrow(new RangeError(`huber: delta must be a finite number > 0, got ${delta}.`));
  });
});

describeOnBackends('smoothL1', () => {
  it('has the slope 1 from beta on', () => {
    const predicted = tf.tensor2d([[0.5], [1], [3], [-3]]);
    const losses = smoothL1({beta: 2})(tf.zeros([4, 1]), predicted);
    expect([losses.dtype, losses.shape]).toEqual(['float32', [4]]);
    expectClose(losses, [0.0625, 0.25, 2, 2], NEAR);
    const gradient = lossGradient(smoothL1({beta: 2}), zeros(5), tf.tensor2d([[0, 0.5, 2, 3, -3]]));
    expectClose(
      gradient.map((value) => 5 * value),
      [0, 0.25, 1, 1, -1],
      NEAR,
    );
  });

  it('is huber with delta 1 by default', () => {
    const rows = [tf.tensor2d([[0, 1]]), tf.tensor2d([[3, 1.5]])] as const;
    expect(valuesOf(() => smoothL1()(...rows))).toEqual(valuesOf(() => huber()(...rows)));
  });

  it('approaches the absolute error as beta goes to 0', () => {
    const rows = [tf.tensor2d([[0, 1, 2]]), tf.tensor2d([[3, 1, 1.5]])] as const;
    const almost = smoothL1({beta: 1e-20});
    expectClose(almost(...rows), meanAbsoluteError()(...rows), NEAR);
    expectClose(lossGradient(almost, ...rows), lossGradient(meanAbsoluteError(), ...rows), NEAR);
  });

  it('gives the values and the gradient of its formula in float64', () => {
    expectLaw(bends, (beta) => ({loss: smoothL1({beta}), oracle: smoothL1Oracle(beta)}));
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a beta of %d when it is built', (beta) => {
    expect(() => smoothL1({beta})).toThrow(new RangeError(`smoothL1: beta must be a finite number > 0, got ${beta}.`));
  });
});
