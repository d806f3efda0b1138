import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {categoricalCrossentropy, fromLayersLoss, kullbackLeiblerDivergence} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectLaw, probabilitiesFor} from '../support/lossCases';
import {divergenceOracle, softmaxOracle} from '../support/lossOracles';
import {lossGradient, valuesOf} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};

describeOnBackends('kullbackLeiblerDivergence', () => {
  it('is the sum of y · log(y / p) over the classes, 0 for the same distribution', () => {
    const yTrue = tf.tensor2d([
      [0.5, 0.5],
      [0.3, 0.7],
    ]);
    const yPred = tf.tensor2d([
      [0.25, 0.75],
      [0.3, 0.7],
    ]);
    const losses = kullbackLeiblerDivergence()(yTrue, yPred);
    expect([losses.dtype, losses.shape]).toEqual(['float32', [2]]);
    expectClose(losses, [0.5 * Math.log(2) + 0.5 * Math.log(2 / 3), 0], NEAR);
  });

  it('is the crossentropy for one-hot truths', () => {
    const rows = [tf.tensor2d([[0, 1, 0]]), tf.tensor2d([[0.25, 0.5, 0.25]])] as const;
    expectClose(kullbackLeiblerDivergence()(...rows), categoricalCrossentropy()(...rows), NEAR);
  });

  it('keeps the gradient −y / p down to p = 1e-30', () => {
    const rows = [tf.tensor2d([[1], [0.5], [1]]), tf.tensor2d([[1e-30], [1e-7], [0.5]])] as const;
    expectClose(kullbackLeiblerDivergence()(...rows), [30 * Math.LN10, 0.5 * Math.log(5e6), Math.LN2], NEAR);
    const gradient = lossGradient(kullbackLeiblerDivergence(), ...rows);
    expectClose(gradient, [-1e30, -5e6, -2], {absolute: 0, relative: 1e-5});
  });

  it('keeps the gradient through a softmax that is all but 0 for what is true', () => {
    const logits = [0, 69.1, 60];
    const truth = [0.5, 0.25, 0.25];
    const throughSoftmax = (y: tf.Tensor, x: tf.Tensor) => kullbackLeiblerDivergence()(y, tf.softmax(x));
    const gradient = lossGradient(throughSoftmax, tf.tensor2d([truth]), tf.tensor2d([logits]));
    const expected = softmaxOracle(logits).map((p, c) => p - (truth[c] as number));
    expectClose(gradient, expected, {absolute: 1e-6, relative: 1e-3});
  });

  it.each([
    {name: 'a truth of 0', truth: [0, 1], predicted: [0.5, 0.5], loss: Math.LN2},
    {name: 'a prediction of 0 that is true', truth: [1, 0], predicted: [0, 1], loss: 126 * Math.LN2},
    {name: 'both 0 for a class', truth: [0, 1], predicted: [0, 1], loss: 0},
    {name: 'zeros throughout', truth: [0, 0], predicted: [0, 0], loss: 0},
  ])('stays finite for $name, in value and gradient', ({truth, predicted, loss}) => {
    const rows = [tf.tensor2d([truth]), tf.tensor2d([predicted])] as const;
    expectClose(kullbackLeiblerDivergence()(...rows), [loss], NEAR);
    expect(lossGradient(kullbackLeiblerDivergence(), ...rows).every(Number.isFinite)).toBe(true);
  });

  it('gives the values and the gradient of its formula in float64', () => {
    expectLaw(fc.constant({}), (_, sizes) => ({
      loss: kullbackLeiblerDivergence(),
      oracle: divergenceOracle,
      predicted: probabilitiesFor(sizes),
    }));
  });

  it('agrees with tfjs-layers where that does not clip', () => {
    const [yTrue, yPred] = [1, 2].map((seed) => tf.softmax(tf.randomNormal([20, 3], 0, 1, 'float32', seed))) as [
      tf.Tensor,
      tf.Tensor,
    ];
    const ofLayers = valuesOf(() => fromLayersLoss('kullbackLeiblerDivergence')(yTrue, yPred));
    expectClose(kullbackLeiblerDivergence()(yTrue, yPred), ofLayers, {absolute: 1e-6, relative: 1e-5});
  });
});
