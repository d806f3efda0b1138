import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {categoricalCrossentropy, poly1} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectLaw, filled, predictionsFor, uniform} from '../support/lossCases';
import {poly1Oracle} from '../support/lossOracles';
import {randomFrom} from '../support/property';
import {lossGradient} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};
const quarter = () => [tf.tensor2d([[0, 1]]), tf.tensor2d([[0.75, 0.25]])] as const;

describeOnBackends('poly1', () => {
  it('is the crossentropy and epsilon times what the true class lacks', () => {
    const losses = poly1()(...quarter());
    expect([losses.dtype, losses.shape]).toEqual(['float32', [1]]);
    expectClose(losses, [Math.log(4) + 0.75], NEAR);
    expectClose(poly1({epsilon: 4})(...quarter()), [Math.log(4) + 3], NEAR);
    expectClose(poly1({epsilon: -1})(...quarter()), [Math.log(4) - 0.75], NEAR);
    expectClose(poly1({classWeights: [0, 2]})(...quarter()), [2 * (Math.log(4) + 0.75)], NEAR);
  });

  it.each([true, false])('is the crossentropy for an epsilon of 0 (fromLogits: %s)', (fromLogits) => {
    const rows = [tf.tensor2d([[0, 1, 0]]), tf.tensor2d([[0.5, 0.25, 0.125]])] as const;
    const [one, other] = [poly1({fromLogits, epsilon: 0}), categoricalCrossentropy({fromLogits})];
    expectClose(one(...rows), other(...rows), NEAR);
    expectClose(lossGradient(one, ...rows), lossGradient(other, ...rows), NEAR);
  });

  it('has 1 + ε times the gradient of the crossentropy where the true class is certain', () => {
    const rows = [tf.tensor2d([[1, 0]]), tf.tensor2d([[6, -6]])] as const;
    const [plain] = lossGradient(categoricalCrossentropy({fromLogits: true}), ...rows);
    for (const epsilon of [-1, -0.5, 1, 3]) {
      const [slope] = lossGradient(poly1({fromLogits: true, epsilon}), ...rows);
      expectClose([slope as number], [(1 + epsilon) * (plain as number)], {absolute: 1e-9, relative: 1e-4});
    }
  });

  it('gives the values and the gradient of its formula in float64, whatever the options', () => {
    const options = fc.record({
      fromLogits: fc.boolean(),
      epsilon: fc.constantFrom(-1, -0.5, 0, 1, 4),
      seed: fc.integer(),
      hasWeights: fc.boolean(),
    });
    expectLaw(options, ({seed, hasWeights, ...given}, sizes) => {
      const weights = filled([sizes.width], uniform(randomFrom(seed), 0, 2));
      const all = {...given, ...(hasWeights && {classWeights: weights})};
      return {loss: poly1(all), oracle: poly1Oracle(all), predicted: predictionsFor(sizes, given.fromLogits)};
    });
  });

  it('keeps loss and gradient of logits of ±80, and of a probability of 1e-30', () => {
    const logits = [tf.tensor2d([[1, 0]]), tf.tensor2d([[-80, 80]])] as const;
    expectClose(poly1({fromLogits: true})(...logits), [161], NEAR);
    expectClose(lossGradient(poly1({fromLogits: true}), ...logits), [-1, 1], NEAR);
    const shares = [tf.tensor2d([[1, 0]]), tf.tensor2d([[1e-30, 1]])] as const;
    expectClose(poly1()(...shares), [30 * Math.LN10 + 1], NEAR);
    expectClose(lossGradient(poly1(), ...shares), [-1e30, 1], {absolute: 1e-6, relative: 1e-5});
  });

  it('refuses wrong options when it is built, and integer labels when it is called', () => {
    for (const epsilon of [Number.NaN, -1.5, Number.POSITIVE_INFINITY]) {
      expect(() => poly1({epsilon})).toThrow(
        new RangeError(`poly1: epsilon must be a finite number >= -1, got ${epsilon}.`),
      );
    }
    expect(() => poly1({classWeights: [Number.NaN]})).toThrow(
      new RangeError('poly1: classWeights must hold finite numbers >= 0, got [NaN].'),
    );
    expect(() => poly1()(tf.tensor1d([1, 2]), tf.ones([2, 3]))).toThrow(
      new TypeError(
        'poly1: yTrue must have the shape of yPred, [2, 3], got [2]. For integer labels pass tf.oneHot(labels, C).',
      ),
    );
  });
});
