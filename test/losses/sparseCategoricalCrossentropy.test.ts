import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {categoricalCrossentropy, fromLayersLoss, sparseCategoricalCrossentropy} from 'ohem-tfjs';
import {afterEach, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectAsOracle, filled, LOSS_RUNS, lossCases, predictionsFor} from '../support/lossCases';
import {categoricalOracle, softmaxOracle} from '../support/lossOracles';
import {randomFrom} from '../support/property';
import {inProduction, leftBy, lossGradient, valuesOf} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};
const labels = (...values: number[]) => tf.tensor1d(values, 'int32');
const QUARTERS = [
  [0.25, 0.75],
  [0.25, 0.75],
];

describeOnBackends('sparseCategoricalCrossentropy', (backend) => {
  afterEach(() => expect(tf.env().getBool('PROD')).toBe(false));

  it('is the negative logarithm of the probability of the labelled class', () => {
    const losses = sparseCategoricalCrossentropy()(labels(1, 0), tf.tensor2d(QUARTERS));
    expect([losses.dtype, losses.shape]).toEqual(['float32', [2]]);
    expectClose(losses, [-Math.log(0.75), Math.log(4)], NEAR);
  });

  it('takes labels of shape [B], [B, 1], [B, H, W] and [B, H, W, 1], integers or floats', () => {
    const loss = sparseCategoricalCrossentropy();
    const pixels = tf.reshape(tf.tensor2d([...QUARTERS, ...QUARTERS, ...QUARTERS]), [1, 2, 3, 2]);
    const ofPixels = [0, 0, 1, 1, 1, 0].map((label) => -Math.log(label === 1 ? 0.75 : 0.25));
    for (const dtype of ['int32', 'float32'] as const) {
      const rows = tf.tensor1d([1, 0], dtype);
      expectClose(loss(rows, tf.tensor2d(QUARTERS)), [-Math.log(0.75), Math.log(4)], NEAR);
      expectClose(loss(tf.reshape(rows, [2, 1]), tf.tensor2d(QUARTERS)), [-Math.log(0.75), Math.log(4)], NEAR);
      const image = tf.tensor3d([0, 0, 1, 1, 1, 0], [1, 2, 3], dtype);
      for (const yTrue of [image, tf.reshape(image, [1, 2, 3, 1])]) {
        expect(loss(yTrue, pixels).shape).toEqual([1, 2, 3]);
        expectClose(loss(yTrue, pixels), ofPixels, NEAR);
      }
    }
  });

  it('takes one row and axes of size 1', () => {
    const loss = sparseCategoricalCrossentropy();
    expectClose(loss(labels(0), tf.tensor2d([[0.25, 0.75]])), [Math.log(4)], NEAR);
    const column = tf.tensor([0.25, 0.75, 0.25, 0.75], [2, 1, 2]);
    expect(loss(tf.tensor2d([[0], [1]]), column).shape).toEqual([2, 1]);
    expectClose(loss(tf.tensor2d([[0], [1]]), column), [Math.log(4), -Math.log(0.75)], NEAR);
    expect(loss(tf.tensor3d([[[0]], [[1]]]), column).shape).toEqual([2, 1]);
  });

  it('takes logits', () => {
    const loss = sparseCategoricalCrossentropy({fromLogits: true});
    expectClose(loss(labels(0), tf.tensor2d([[0, Math.log(3)]])), [Math.log(4)], NEAR);
  });

  it('counts each class by its weight', () => {
    const loss = sparseCategoricalCrossentropy({classWeights: [2, 0, 0.5]});
    const losses = loss(labels(0, 1, 2), tf.fill([3, 3], 1 / 3));
    expectClose(losses, [2 * Math.log(3), 0, 0.5 * Math.log(3)], NEAR);
  });

  it('gives the values and the gradient of its formula in float64, whatever the options and the axes', () => {
    fc.assert(
      fc.property(lossCases({narrowest: 2}), fc.boolean(), fc.boolean(), (sizes, fromLogits, weigh) => {
        const random = randomFrom(sizes.seed + 2);
        const classWeights = weigh ? filled([sizes.width], () => 3 * random()) : undefined;
        const options = {fromLogits, ...(classWeights && {classWeights})};
        const drawn = filled(sizes.shape.slice(0, -1), () => Math.floor(random() * sizes.width));
        const oneHot = drawn.flatMap((label) => Array.from({length: sizes.width}, (_, c) => (c === label ? 1 : 0)));
        const predicted = predictionsFor(sizes, fromLogits);
        const loss = sparseCategoricalCrossentropy(options);
        const yTrue = tf.tensor(drawn, sizes.shape.slice(0, -1));
        expectAsOracle(loss, categoricalOracle(options), sizes, oneHot, predicted, {yTrue});
      }),
      LOSS_RUNS,
    );
  });

  it('gives exactly what categoricalCrossentropy gives for the one-hot labels, in value and gradient', () => {
    const yPred = tf.softmax(tf.randomNormal([30, 4], 0, 3, 'float32', 5) as tf.Tensor2D);
    const yTrue = tf.tensor1d(
      Array.from({length: 30}, (_, i) => (i * 7) % 4),
      'int32',
    );
    const oneHot = tf.oneHot(yTrue, 4);
    const classWeights = [1, 2, 0, 0.3];
    const [sparse, dense] = [sparseCategoricalCrossentropy({classWeights}), categoricalCrossentropy({classWeights})];
    expect(valuesOf(() => sparse(yTrue, yPred))).toEqual(valuesOf(() => dense(oneHot, yPred)));
    expect(lossGradient(sparse, yTrue, yPred)).toEqual(lossGradient(dense, oneHot, yPred));
  });

  it('agrees with tfjs-layers wherever that does not clip', () => {
    const yPred = tf.softmax(tf.randomNormal([30, 4], 0, 2, 'float32', 5) as tf.Tensor2D);
    const yTrue = tf.tensor2d(
      Array.from({length: 30}, (_, i) => i % 4),
      [30, 1],
    );
    const ofLayers = fromLayersLoss('sparseCategoricalCrossentropy')(yTrue, yPred);
    expectClose(sparseCategoricalCrossentropy()(yTrue, yPred), ofLayers, {absolute: 1e-5, relative: 1e-5});
  });

  it('keeps the gradient through a softmax down to p = 1e-30, and of logits of ±80', () => {
    const throughSoftmax = (y: tf.Tensor, x: tf.Tensor) => sparseCategoricalCrossentropy()(y, tf.softmax(x));
    for (const [loss, logits] of [
      [throughSoftmax, [0, 69.1]],
      [sparseCategoricalCrossentropy({fromLogits: true}), [-80, 80]],
    ] as const) {
      const expected = softmaxOracle(logits).map((p, c) => p - (c === 0 ? 1 : 0));
      const gradient = lossGradient(loss, labels(0), tf.tensor2d([[...logits]]));
      expectClose(gradient, expected, {absolute: 1e-6, relative: 1e-3});
    }
  });

  it('stays finite where the labelled class has probability 0, or every class has', () => {
    const yPred = tf.tensor2d([
      [0, 1],
      [0, 0],
    ]);
    const loss = sparseCategoricalCrossentropy();
    expectClose(loss(labels(0, 1), yPred), [126 * Math.LN2, 126 * Math.LN2], NEAR);
    expect(lossGradient(loss, labels(0, 1), yPred).every(Number.isFinite)).toBe(true);
  });

  it.each([
    {ignoreLabel: 255, why: 'a label over the classes'},
    {ignoreLabel: -1, why: 'a negative label'},
    {ignoreLabel: 0, why: 'a label that is a class'},
  ])('gives ignored labels the loss 0 and no gradient ($why: $ignoreLabel)', ({ignoreLabel}) => {
    const loss = sparseCategoricalCrossentropy({ignoreLabel});
    const yTrue = labels(1, ignoreLabel, 1);
    const yPred = tf.tensor2d([...QUARTERS, [0.5, 0.5]]);
    expectClose(loss(yTrue, yPred), [-Math.log(0.75), 0, Math.LN2], NEAR);
    expect(lossGradient(loss, yTrue, yPred).slice(2, 4)).toEqual([0, 0]);
    expect(lossGradient(loss, yTrue, yPred).every(Number.isFinite)).toBe(true);
  });

  it('says which labels count, in the shape of the loss', () => {
    const {valid} = sparseCategoricalCrossentropy({ignoreLabel: 255});
    const marks = valid?.(labels(0, 255, 1)) as tf.Tensor;
    expect([marks.dtype, marks.shape, [...marks.dataSync()]]).toEqual(['float32', [3], [1, 0, 1]]);
    expect(valid?.(tf.tensor2d([[0], [255]])).shape).toEqual([2]);
    expect(valid?.(tf.tensor3d([0, 255, 255, 3], [1, 2, 2])).shape).toEqual([1, 2, 2]);
    expect(valid?.(tf.tensor4d([0, 255, 255, 3], [1, 2, 2, 1])).shape).toEqual([1, 2, 2]);
    const yTrue = labels(0, 255);
    expect(leftBy(() => valid?.(yTrue))).toBe(0);
  });

  it('has no valid where no label is ignored', () => {
    expect(sparseCategoricalCrossentropy().valid).toBeUndefined();
  });

  it.each([
    {name: 'over the classes', label: 2},
    {name: 'negative', label: -1},
    {name: 'between two classes', label: 0.5},
    {name: 'NaN', label: Number.NaN},
  ])('throws for a label that is $name, in development', ({label}) => {
    const loss = sparseCategoricalCrossentropy();
    expect(() => loss(tf.tensor1d([0, label]), tf.tensor2d(QUARTERS))).toThrow(
      new RangeError(
        `sparseCategoricalCrossentropy: yTrue must hold integers from 0 to 1, got ${label} at position 1. ` +
          'C is the last axis of yPred; subtract 1 from labels that begin at 1.',
      ),
    );
  });

  it('throws for a wrong label that is not the ignored one', () => {
    const loss = sparseCategoricalCrossentropy({ignoreLabel: 255});
    expect(() => loss(labels(255, 254), tf.tensor2d(QUARTERS))).toThrow(
      new RangeError(
        'sparseCategoricalCrossentropy: yTrue must hold integers from 0 to 1, got 254 at position 1. ' +
          'C is the last axis of yPred; subtract 1 from labels that begin at 1.',
      ),
    );
  });

  it.each([
    {name: 'over the classes', label: 2},
    {name: 'negative', label: -1},
    {name: 'between two classes', label: 0.5},
    {name: 'NaN', label: Number.NaN},
  ])('gives NaN for a label that is $name, in production, and leaves the other rows alone', ({label}) => {
    const loss = sparseCategoricalCrossentropy();
    const yTrue = tf.tensor1d([1, label]);
    const losses = inProduction(() => valuesOf(() => loss(yTrue, tf.tensor2d(QUARTERS))));
    expectClose(losses.slice(0, 1), [-Math.log(0.75)], NEAR);
    expect(losses[1]).toBeNaN();
    const gradient = inProduction(() => lossGradient(loss, yTrue, tf.tensor2d(QUARTERS)));
    expectClose(gradient.slice(0, 2), [1, 1 - 1 / 0.75], NEAR);
  });

  it('gives ignored labels the loss 0 in production too', () => {
    const loss = sparseCategoricalCrossentropy({ignoreLabel: -1});
    const losses = inProduction(() => valuesOf(() => loss(labels(-1, -2), tf.tensor2d(QUARTERS))));
    expect(losses).toEqual([0, Number.NaN]);
  });

  it('refuses one-hot labels and says which loss takes them', () => {
    const loss = sparseCategoricalCrossentropy();
    expect(() => loss(tf.eye(2), tf.tensor2d(QUARTERS))).toThrow(
      new TypeError(
        'sparseCategoricalCrossentropy: yTrue must have the shape of yPred without its classes, [2], got [2, 2]. ' +
          'For one-hot labels use categoricalCrossentropy.',
      ),
    );
  });

  it('refuses labels for another number of rows', () => {
    expect(() => sparseCategoricalCrossentropy()(labels(0, 1, 1), tf.tensor2d(QUARTERS))).toThrow(
      new TypeError(
        'sparseCategoricalCrossentropy: yTrue must have the shape of yPred without its classes, [2], got [3]. ' +
          'For one-hot labels use categoricalCrossentropy.',
      ),
    );
  });

  it('refuses predictions without a class axis', () => {
    expect(() => sparseCategoricalCrossentropy()(labels(0), tf.tensor1d([1]))).toThrow(
      new TypeError('sparseCategoricalCrossentropy: yPred must have shape [B, …, C], got [1].'),
    );
    expect(() => sparseCategoricalCrossentropy()(tf.scalar(0), tf.scalar(1))).toThrow(
      new TypeError('sparseCategoricalCrossentropy: yPred must have shape [B, …, C], got [].'),
    );
  });

  it('refuses class weights that are too few or too many', () => {
    const loss = sparseCategoricalCrossentropy({classWeights: [1, 2, 3]});
    expect(() => loss(labels(0, 1), tf.tensor2d(QUARTERS))).toThrow(
      new TypeError(
        'sparseCategoricalCrossentropy: classWeights must hold one weight for each of the 2 classes, got 3 weights.',
      ),
    );
  });

  it('refuses wrong options when it is built, not when it runs', () => {
    expect(() => sparseCategoricalCrossentropy({classWeights: [1, Number.POSITIVE_INFINITY]})).toThrow(
      new RangeError('sparseCategoricalCrossentropy: classWeights must hold finite numbers >= 0, got [1, Infinity].'),
    );
    for (const ignoreLabel of [0.5, Number.NaN]) {
      expect(() => sparseCategoricalCrossentropy({ignoreLabel})).toThrow(
        new RangeError(`sparseCategoricalCrossentropy: ignoreLabel must be an integer, got ${ignoreLabel}.`),
      );
    }
  });

  it('leaks nothing, in value, gradient and error, and leaves its inputs alone', () => {
    const loss = sparseCategoricalCrossentropy({ignoreLabel: 9, classWeights: [1, 2]});
    const [yTrue, yPred] = [labels(0, 9), tf.tensor2d(QUARTERS)];
    expect(leftBy(() => loss(yTrue, yPred))).toBe(0);
    expect(leftBy(() => tf.grad((x) => tf.sum(loss(yTrue, x)))(yPred))).toBe(0);
    const wrong = labels(0, 3);
    expect(leftBy(() => void expect(() => loss(wrong, yPred)).toThrow())).toBe(0);
    expect([[...yTrue.dataSync()], [...yPred.dataSync()]]).toEqual([[0, 9], QUARTERS.flat()]);
    expect(tf.getBackend()).toBe(backend);
  });
});
