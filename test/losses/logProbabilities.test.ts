import * as tf from '@tensorflow/tfjs-core';
import {expect, it} from 'vitest';
import {logOf, logProbabilitiesOf} from '../../src/losses/logProbabilities';
import {TINY} from '../../src/losses/surpriseKernels';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {valuesOf} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};
const gradientOf = (f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor) =>
  valuesOf(() => tf.grad((y: tf.Tensor) => tf.sum(f(y)))(x));

describeOnBackends('logOf', () => {
  it('is the natural logarithm down to the smallest normal float32, and finite below it', () => {
    const x = tf.tensor1d([1, 0.5, 1e-30, TINY, 1e-40, 0]);
    const lowest = -126 * Math.LN2;
    expectClose(logOf(x), [0, -Math.LN2, -30 * Math.LN10, lowest, lowest, lowest], NEAR);
  });

  it('has the gradient 1/p down to p = 1e-37, and a finite one at 0', () => {
    const gradient = gradientOf(logOf, tf.tensor1d([0.5, 1e-7, 1e-30, 1e-37, 0]));
    expectClose(gradient.slice(0, 4), [2, 1e7, 1e30, 1e37], {absolute: 0, relative: 1e-6});
    expect(Number.isFinite(gradient[4])).toBe(true);
  });
});

describeOnBackends('logProbabilitiesOf', () => {
  it('divides by the sum of the last axis', () => {
    const logs = logProbabilitiesOf(tf.tensor3d([1, 3, 0.25, 0.75], [1, 2, 2]));
    expect(logs.shape).toEqual([1, 2, 2]);
    expectClose(logs, [0.25, 0.75, 0.25, 0.75].map(Math.log), NEAR);
  });

  it('leaves a row of zeros undivided', () => {
    expectClose(logProbabilitiesOf(tf.tensor2d([[0, 0]])), [-126 * Math.LN2, -126 * Math.LN2], NEAR);
    expect(gradientOf(logProbabilitiesOf, tf.tensor2d([[0, 0]])).every(Number.isFinite)).toBe(true);
  });

  it('divides rows whose sum is very small too', () => {
    // The logarithms are near −69, where float32 goes in steps of 8e-6.
    const logs = logProbabilitiesOf(tf.tensor2d([[1e-30, 3e-30]]));
    expectClose(logs, [Math.log(0.25), Math.log(0.75)], {absolute: 1.6e-5, relative: 0});
  });
});

describeOnBackends('logProbabilitiesOf of logits', () => {
  it('stays exact for logits that no softmax can hold', () => {
    const logs = logProbabilitiesOf(tf.tensor2d([[-500, 500]]), true);
    expectClose(logs, [-1000, 0], NEAR);
  });
});
