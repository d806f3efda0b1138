import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {binaryCrossentropy, binaryFocalCrossentropy} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectLaw, predictionsFor} from '../support/lossCases';
import {binaryFocalOracle} from '../support/lossOracles';
import {lossGradient} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};
const column = (values: number[]) => tf.tensor2d(values, [values.length, 1]);

describeOnBackends('binaryFocalCrossentropy', () => {
  it('is the crossentropy times the square of the probability of what is not true', () => {
    const losses = binaryFocalCrossentropy()(column([1, 0]), column([0.25, 0.25]));
    expect([losses.dtype, losses.shape]).toEqual(['float32', [2]]);
    expectClose(losses, [0.75 ** 2 * Math.log(4), 0.25 ** 2 * Math.log(4 / 3)], NEAR);
  });

  it('is the mean over the labels of an example', () => {
    const losses = binaryFocalCrossentropy({gamma: 1})(tf.tensor2d([[1, 0]]), tf.tensor2d([[0.25, 0.25]]));
    expectClose(losses, [(0.75 * Math.log(4) + 0.25 * Math.log(4 / 3)) / 2], NEAR);
  });

  it('takes logits', () => {
    const losses = binaryFocalCrossentropy({fromLogits: true})(column([1, 0]), column([-Math.log(3), -Math.log(3)]));
    expectClose(losses, [0.75 ** 2 * Math.log(4), 0.25 ** 2 * Math.log(4 / 3)], NEAR);
  });

  it('counts a yes alpha and a no 1 − alpha, and both 1 where no alpha is given, as Keras does', () => {
    const rows = [column([1, 0]), column([0.25, 0.25])] as const;
    const [yes, no] = [0.75 ** 2 * Math.log(4), 0.25 ** 2 * Math.log(4 / 3)];
    expectClose(binaryFocalCrossentropy({alpha: 0.25})(...rows), [0.25 * yes, 0.75 * no], NEAR);
    expectClose(binaryFocalCrossentropy({alpha: 0})(...rows), [0, no], NEAR);
    expectClose(binaryFocalCrossentropy()(...rows), [yes, no], NEAR);
  });

  it.each([true, false])(
    'is the crossentropy for a gamma of 0, also of what is certain (fromLogits: %s)',
    (fromLogits) => {
      const rows = [column([1, 1, 0, 0]), column([1, 0.25, 1, 0])] as const;
      const [focal, plain] = [binaryFocalCrossentropy({fromLogits, gamma: 0}), binaryCrossentropy({fromLogits})];
      expectClose(focal(...rows), plain(...rows), NEAR);
      expectClose(lossGradient(focal, ...rows), lossGradient(plain, ...rows), NEAR);
    },
  );

  it('gives the values and the gradient of its formula in float64, whatever the options', () => {
    const options = fc.record({
      fromLogits: fc.boolean(),
      gamma: fc.constantFrom(0, 0.5, 1, 2, 5),
      alpha: fc.constantFrom(undefined, 0, 0.25, 1),
    });
    expectLaw(options, ({alpha, ...others}, sizes) => {
      const given = {...others, ...(alpha !== undefined && {alpha})};
      return {
        loss: binaryFocalCrossentropy(given),
        oracle: binaryFocalOracle(given),
        predicted: predictionsFor(sizes, given.fromLogits),
      };
    });
  });

  it.each([0.1, 0.5, 1, 2])('keeps loss and gradient of logits of ±80, and of ±1000, for a gamma of %d', (gamma) => {
    const rows = [column([1, 0, 1, 0, 1, 1]), column([-80, 80, 80, -80, -1000, 1000])] as const;
    const loss = binaryFocalCrossentropy({fromLogits: true, gamma});
    expectClose(loss(...rows), [80, 80, 0, 0, 1000, 0], NEAR);
    expectClose(lossGradient(loss, ...rows), [-1, 1, 0, 0, -1, 0], NEAR);
  });

  it.each([0.1, 0.5, 1, 2])('keeps the gradient of a missed yes down to p = 1e-30 for a gamma of %d', (gamma) => {
    const rows = [column([1]), column([1e-30])] as const;
    expectClose(binaryFocalCrossentropy({gamma})(...rows), [30 * Math.LN10], NEAR);
    expectClose(lossGradient(binaryFocalCrossentropy({gamma}), ...rows), [-1e30], {absolute: 0, relative: 1e-5});
  });

  it.each([0.01, 0.5, 1, 2])(
    'has no loss and no gradient, and no NaN, for what is certain, for a gamma of %d',
    (gamma) => {
      const rows = [column([1, 0]), column([1, 0])] as const;
      const loss = binaryFocalCrossentropy({gamma});
      expect([...loss(...rows).dataSync()].map(Math.abs)).toEqual([0, 0]);
      expect(lossGradient(loss, ...rows).map(Math.abs)).toEqual([0, 0]);
    },
  );

  it('has the gradient of its formula as p approaches 1 with a gamma under 1', () => {
    const missing = 2 ** -20;
    const gradient = lossGradient(binaryFocalCrossentropy({gamma: 0.5}), column([1]), column([1 - missing]));
    const expected = 0.5 * missing ** -0.5 * Math.log(1 - missing) - missing ** 0.5 / (1 - missing);
    expectClose(gradient, [expected], {absolute: 0, relative: 1e-4});
  });

  it('stays finite for probabilities that are certain and wrong', () => {
    const rows = [column([1, 0]), column([0, 1])] as const;
    expectClose(binaryFocalCrossentropy({gamma: 0.5})(...rows), [126 * Math.LN2, 126 * Math.LN2], NEAR);
    expect(lossGradient(binaryFocalCrossentropy({gamma: 0.5}), ...rows).every(Number.isFinite)).toBe(true);
  });

  it.each([-0.1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a gamma of %d when it is built', (gamma) => {
    expect(() => binaryFocalCrossentropy({gamma})).toThrow(
      new RangeError(`binaryFocalCrossentropy: gamma must be a finite number >= 0, got ${gamma}.`),
    );
  });

  it.each([-0.1, 1.1, Number.NaN])('refuses an alpha of %d when it is built', (alpha) => {
    expect(() => binaryFocalCrossentropy({alpha})).toThrow(
      new RangeError(`binaryFocalCrossentropy: alpha must be in [0, 1], got ${alpha}.`),
    );
  });
});
