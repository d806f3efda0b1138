import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {categoricalCrossentropy} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectAsOracle, LOSS_RUNS, lossCases, predictionsFor, truthFor} from '../support/lossCases';
import {categoricalOracle, softmaxOracle} from '../support/lossOracles';
import {randomFrom} from '../support/property';
import {leftBy, lossGradient, valuesOf} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};

describeOnBackends('categoricalCrossentropy', () => {
  it('is the negative logarithm of the probability of the true class', () => {
    const yTrue = tf.tensor2d([
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 1],
    ]);
    const yPred = tf.tensor2d([
      [0.25, 0.5, 0.25],
      [1, 0, 0],
      [0.6, 0.3, 0.1],
    ]);
    const losses = categoricalCrossentropy()(yTrue, yPred);
    expect([losses.dtype, losses.shape]).toEqual(['float32', [3]]);
    expectClose(losses, [Math.LN2, 0, Math.log(10)], NEAR); // −ln ½, −ln 1, −ln 0.1
  });

  it('divides probabilities by their sum, as Keras does', () => {
    const losses = categoricalCrossentropy()(tf.tensor2d([[0, 1]]), tf.tensor2d([[3, 1]]));
    expectClose(losses, [Math.log(4)], NEAR);
  });

  it('takes logits', () => {
    const logits = tf.tensor2d([[0, Math.log(3)]]);
    const losses = categoricalCrossentropy({fromLogits: true})(tf.tensor2d([[1, 0]]), logits);
    expectClose(losses, [Math.log(4)], NEAR); // softmax is [¼, ¾]
  });

  it('spreads the smoothed share of the truth over all classes', () => {
    const loss = categoricalCrossentropy({labelSmoothing: 0.2});
    const losses = loss(tf.tensor2d([[1, 0]]), tf.tensor2d([[0.25, 0.75]]));
    expectClose(losses, [-(0.9 * Math.log(0.25) + 0.1 * Math.log(0.75))], NEAR);
  });

  it('counts each class by its weight', () => {
    const loss = categoricalCrossentropy({classWeights: [2, 0, 0.5]});
    const losses = loss(tf.eye(3), tf.fill([3, 3], 1 / 3));
    expectClose(losses, [2 * Math.log(3), 0, 0.5 * Math.log(3)], NEAR);
  });

  it('takes mixed labels, and labels of any dtype', () => {
    const yPred = tf.tensor2d([[0.25, 0.75]]);
    const loss = categoricalCrossentropy();
    expectClose(loss(tf.tensor2d([[0.5, 0.5]]), yPred), [-0.5 * (Math.log(0.25) + Math.log(0.75))], NEAR);
    expectClose(loss(tf.tensor2d([[1, 0]], [1, 2], 'int32'), yPred), [Math.log(4)], NEAR);
    expectClose(loss(tf.tensor2d([[1, 0]], [1, 2], 'bool'), yPred), [Math.log(4)], NEAR);
  });

  it('gives the values and the gradient of its formula in float64, whatever the options and the axes', () => {
    const options = fc.record({
      fromLogits: fc.boolean(),
      labelSmoothing: fc.constantFrom(0, 0.1, 0.7),
      weigh: fc.boolean(),
    });
    fc.assert(
      fc.property(lossCases(), options, (sizes, {weigh, ...given}) => {
        const random = randomFrom(sizes.seed + 2);
        const classWeights = weigh ? Array.from({length: sizes.width}, () => Math.fround(3 * random())) : undefined;
        const all = {...given, ...(classWeights && {classWeights})};
        const predicted = predictionsFor(sizes, given.fromLogits);
        expectAsOracle(categoricalCrossentropy(all), categoricalOracle(all), sizes, truthFor(sizes), predicted);
      }),
      LOSS_RUNS,
    );
  });

  it('agrees with tfjs-layers and tfjs-core wherever those do not clip', () => {
    const random = randomFrom(7);
    const logits = tf.tensor2d(
      Array.from({length: 60}, () => 6 * random() - 3),
      [20, 3],
    );
    const yTrue = tf.oneHot(
      tf.tensor1d(
        Array.from({length: 20}, (_, i) => i % 3),
        'int32',
      ),
      3,
    ) as tf.Tensor2D;
    const ofLayers = tfl.metrics.categoricalCrossentropy(yTrue, tf.softmax(logits));
    expectClose(categoricalCrossentropy()(yTrue, tf.softmax(logits)), ofLayers, {absolute: 1e-5, relative: 1e-5});
    const ofCore = tf.losses.softmaxCrossEntropy(yTrue, logits, undefined, 0.1, tf.Reduction.NONE);
    const ours = categoricalCrossentropy({fromLogits: true, labelSmoothing: 0.1})(yTrue, logits);
    expectClose(ours, ofCore, {absolute: 1e-5, relative: 1e-5});
  });

  it.each([
    {logits: [0, 69.1], why: 'p = 1e-30'},
    {logits: [0, 20], why: 'tfjs clips: 16.118, gradient 0'},
    {logits: [0, 69.1, 69.1], why: 'two wrong classes'},
    {logits: [1, -1, 0.5], why: 'an ordinary row'},
  ])('keeps the gradient through a softmax of $logits ($why)', ({logits}) => {
    const yTrue = tf.oneHot(tf.tensor1d([0], 'int32'), logits.length);
    const throughSoftmax = (y: tf.Tensor, x: tf.Tensor) => categoricalCrossentropy()(y, tf.softmax(x));
    const gradient = lossGradient(throughSoftmax, yTrue, tf.tensor2d([logits]));
    const expected = softmaxOracle(logits).map((p, c) => p - (c === 0 ? 1 : 0));
    expectClose(gradient, expected, {absolute: 1e-6, relative: 1e-3});
  });

  it.each([
    {logits: [-80, 80], lossOfFirst: 160},
    {logits: [80, -80], lossOfFirst: 0},
    {logits: [-80, 80, 80], lossOfFirst: 160 + Math.LN2},
    {logits: [-1000, 1000], lossOfFirst: 2000},
  ])('keeps loss and gradient of the logits $logits', ({logits, lossOfFirst}) => {
    const loss = categoricalCrossentropy({fromLogits: true});
    const [yTrue, yPred] = [tf.oneHot(tf.tensor1d([0], 'int32'), logits.length), tf.tensor2d([logits])];
    expectClose(loss(yTrue, yPred), [lossOfFirst], {absolute: 1e-6, relative: 1e-6});
    const expected = softmaxOracle(logits).map((p, c) => p - (c === 0 ? 1 : 0));
    expectClose(lossGradient(loss, yTrue, yPred), expected, {absolute: 1e-6, relative: 1e-3});
  });

  it('gives a true class of probability 0 the loss of the smallest float32', () => {
    const yTrue = tf.tensor2d([[1, 0]]);
    const yPred = tf.tensor2d([[0, 1]]);
    expectClose(categoricalCrossentropy()(yTrue, yPred), [126 * Math.LN2], NEAR);
    expect(lossGradient(categoricalCrossentropy(), yTrue, yPred).every(Number.isFinite)).toBe(true);
  });

  it.each([
    {name: 'predictions of 0 throughout', truth: [0, 1, 0], predicted: [0, 0, 0]},
    {name: 'a truth of 0 throughout', truth: [0, 0, 0], predicted: [0.2, 0.3, 0.5]},
    {name: 'both of 0 throughout', truth: [0, 0, 0], predicted: [0, 0, 0]},
  ])('stays finite for $name, in value and gradient', ({truth, predicted}) => {
    const rows = [tf.tensor2d([truth]), tf.tensor2d([predicted])] as const;
    for (const options of [{}, {fromLogits: true}, {labelSmoothing: 0.1}, {classWeights: [1, 2, 3]}]) {
      const loss = categoricalCrossentropy(options);
      expect(valuesOf(() => loss(...rows)).every(Number.isFinite)).toBe(true);
      expect(lossGradient(loss, ...rows).every(Number.isFinite)).toBe(true);
    }
  });

  it('refuses integer labels and says which loss takes them', () => {
    const loss = categoricalCrossentropy();
    expect(() => loss(tf.tensor1d([1, 2]), tf.ones([2, 3]))).toThrow(
      new TypeError(
        'categoricalCrossentropy: yTrue must have the shape of yPred, [2, 3], got [2]. ' +
          'For integer labels use sparseCategoricalCrossentropy.',
      ),
    );
    expect(() => loss(tf.tensor2d([[1], [2]]), tf.ones([2, 3]))).toThrow(
      new TypeError(
        'categoricalCrossentropy: yTrue must have the shape of yPred, [2, 3], got [2, 1]. ' +
          'For integer labels use sparseCategoricalCrossentropy.',
      ),
    );
  });

  it('refuses predictions without a class axis', () => {
    const loss = categoricalCrossentropy();
    expect(() => loss(tf.tensor1d([1]), tf.tensor1d([1]))).toThrow(
      new TypeError('categoricalCrossentropy: yPred must have shape [B, …, C], got [1].'),
    );
    expect(() => loss(tf.scalar(1), tf.scalar(1))).toThrow(
      new TypeError('categoricalCrossentropy: yPred must have shape [B, …, C], got [].'),
    );
  });

  it('refuses class weights that are too few or too many', () => {
    const rows = [tf.ones([2, 3]), tf.ones([2, 3])] as const;
    expect(() => categoricalCrossentropy({classWeights: [1, 2]})(...rows)).toThrow(
      new TypeError(
        'categoricalCrossentropy: classWeights must hold one weight for each of the 3 classes, got 2 weights.',
      ),
    );
  });

  it('refuses wrong options when it is built, not when it runs', () => {
    for (const labelSmoothing of [-0.1, 1, Number.NaN]) {
      expect(() => categoricalCrossentropy({labelSmoothing})).toThrow(
        new RangeError(`categoricalCrossentropy: labelSmoothing must be in [0, 1), got ${labelSmoothing}.`),
      );
    }
    expect(() => categoricalCrossentropy({classWeights: [1, -1]})).toThrow(
      new RangeError('categoricalCrossentropy: classWeights must hold finite numbers >= 0, got [1, -1].'),
    );
    expect(() => categoricalCrossentropy({classWeights: [Number.NaN]})).toThrow(
      new RangeError('categoricalCrossentropy: classWeights must hold finite numbers >= 0, got [NaN].'),
    );
  });

  it('leaks nothing, in value, gradient and error, and leaves its inputs alone', () => {
    const loss = categoricalCrossentropy({labelSmoothing: 0.1, classWeights: [1, 2]});
    const [yTrue, yPred] = [tf.tensor2d([[1, 0]]), tf.tensor2d([[0.4, 0.6]])];
    expect(leftBy(() => loss(yTrue, yPred))).toBe(0);
    expect(leftBy(() => tf.grad((x) => tf.sum(loss(yTrue, x)))(yPred))).toBe(0);
    const wrong = tf.ones([3]);
    expect(leftBy(() => void expect(() => loss(wrong, yPred)).toThrow())).toBe(0);
    expect([[...yTrue.dataSync()], [...yPred.dataSync()]]).toEqual([
      [1, 0],
      [Math.fround(0.4), Math.fround(0.6)],
    ]);
  });
});
