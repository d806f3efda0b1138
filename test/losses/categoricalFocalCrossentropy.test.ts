import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {categoricalCrossentropy, categoricalFocalCrossentropy, ohemStep, topK} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectLaw, predictionsFor} from '../support/lossCases';
import {categoricalFocalOracle} from '../support/lossOracles';
import {lossGradient, valuesOf} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};
const first = () => tf.tensor2d([[1, 0]]);

describeOnBackends('categoricalFocalCrossentropy', () => {
  it('is a quarter of the crossentropy times the square of what is missing to certainty, as in Keras', () => {
    const yTrue = tf.tensor2d([
      [1, 0],
      [0, 1],
    ]);
    const yPred = tf.tensor2d([
      [0.25, 0.75],
      [0.25, 0.75],
    ]);
    const losses = categoricalFocalCrossentropy()(yTrue, yPred);
    expect([losses.dtype, losses.shape]).toEqual(['float32', [2]]);
    expectClose(losses, [0.25 * 0.75 ** 2 * Math.log(4), 0.25 * 0.25 ** 2 * Math.log(4 / 3)], NEAR);
  });

  it('divides probabilities by their sum, as Keras does', () => {
    const losses = categoricalFocalCrossentropy({alpha: 1})(first(), tf.tensor2d([[1, 3]]));
    expectClose(losses, [0.75 ** 2 * Math.log(4)], NEAR);
  });

  it('takes logits', () => {
    const loss = categoricalFocalCrossentropy({fromLogits: true, alpha: 1});
    expectClose(loss(first(), tf.tensor2d([[0, Math.log(3)]])), [0.75 ** 2 * Math.log(4)], NEAR);
  });

  it('counts each class by an alpha of its own', () => {
    const loss = categoricalFocalCrossentropy({gamma: 0, alpha: [1, 0, 0.5]});
    expectClose(loss(tf.eye(3), tf.fill([3, 3], 1 / 3)), [Math.log(3), 0, 0.5 * Math.log(3)], NEAR);
  });

  it.each([true, false])('is the crossentropy for a gamma of 0 and an alpha of 1 (fromLogits: %s)', (fromLogits) => {
    const focal = categoricalFocalCrossentropy({fromLogits, gamma: 0, alpha: 1});
    const plain = categoricalCrossentropy({fromLogits});
    for (const predicted of [
      [0.25, 0.75],
      [1, 0],
      [0, 1],
      [0, 0],
    ]) {
      const rows = [first(), tf.tensor2d([predicted])] as const;
      expectClose(focal(...rows), plain(...rows), NEAR);
      expectClose(lossGradient(focal, ...rows), lossGradient(plain, ...rows), NEAR);
    }
  });

  it('gives the values and the gradient of its formula in float64, whatever the options', () => {
    const options = fc.record({
      fromLogits: fc.boolean(),
      gamma: fc.constantFrom(0, 0.5, 1, 2, 5),
      alpha: fc.constantFrom(0.25, 1, 'each' as const),
    });
    expectLaw(options, ({alpha, ...others}, sizes) => {
      const each = Array.from({length: sizes.width}, (_, c) => (c + 1) / 8);
      const given = {...others, alpha: alpha === 'each' ? each : alpha};
      return {
        loss: categoricalFocalCrossentropy(given),
        oracle: categoricalFocalOracle(given),
        predicted: predictionsFor(sizes, given.fromLogits),
      };
    });
  });

  it.each([0.1, 0.5, 1, 2])('keeps loss and gradient of logits of ±80 for a gamma of %d', (gamma) => {
    const loss = categoricalFocalCrossentropy({fromLogits: true, gamma, alpha: 1});
    const wrong = tf.tensor2d([[-80, 80]]);
    expectClose(loss(first(), wrong), [160], NEAR);
    expectClose(lossGradient(loss, first(), wrong), [-1, 1], NEAR);
    const right = tf.tensor2d([[80, -80]]);
    expectClose(loss(first(), right), [0], NEAR);
    expectClose(lossGradient(loss, first(), right), [0, 0], NEAR);
  });

  it.each([0.1, 0.5, 1, 2])('keeps the gradient of a miss down to p = 1e-30 for a gamma of %d', (gamma) => {
    const loss = categoricalFocalCrossentropy({gamma, alpha: 1});
    const yPred = tf.tensor2d([[1e-30, 1]]);
    expectClose(loss(first(), yPred), [30 * Math.LN10], {absolute: 0, relative: 1e-5});
    expectClose(lossGradient(loss, first(), yPred).slice(0, 1), [-1e30], {absolute: 0, relative: 1e-5});
    const throughSoftmax = (y: tf.Tensor, x: tf.Tensor) => loss(y, tf.softmax(x));
    expectClose(lossGradient(throughSoftmax, first(), tf.tensor2d([[0, 69.1]])), [-1, 1], {
      absolute: 1e-4,
      relative: 0,
    });
  });

  it.each([0.01, 0.5, 1, 2])(
    'has no loss and no gradient, and no NaN, for what is certain, for a gamma of %d',
    (gamma) => {
      const rows = [first(), tf.tensor2d([[1, 0]])] as const;
      const loss = categoricalFocalCrossentropy({gamma});
      expect(valuesOf(() => loss(...rows)).map(Math.abs)).toEqual([0]);
      expect(lossGradient(loss, ...rows).map(Math.abs)).toEqual([0, 0]);
    },
  );

  it.each([
    {name: 'predictions of 0 throughout', truth: [0, 1, 0], predicted: [0, 0, 0]},
    {name: 'a truth of 0 throughout', truth: [0, 0, 0], predicted: [0.2, 0.3, 0.5]},
    {name: 'both of 0 throughout', truth: [0, 0, 0], predicted: [0, 0, 0]},
    {name: 'a true class of probability 0', truth: [1, 0, 0], predicted: [0, 0, 1]},
  ])('stays finite for $name, in value and gradient', ({truth, predicted}) => {
    const rows = [tf.tensor2d([truth]), tf.tensor2d([predicted])] as const;
    for (const options of [{}, {gamma: 0.5}, {fromLogits: true}, {alpha: [0, 0.5, 1]}]) {
      const loss = categoricalFocalCrossentropy(options);
      expect(valuesOf(() => loss(...rows)).every(Number.isFinite)).toBe(true);
      expect(lossGradient(loss, ...rows).every(Number.isFinite)).toBe(true);
    }
  });

  it('refuses integer labels and says what to do', () => {
    expect(() => categoricalFocalCrossentropy()(tf.tensor1d([1, 2]), tf.ones([2, 3]))).toThrow(
      new TypeError(
        'categoricalFocalCrossentropy: yTrue must have the shape of yPred, [2, 3], got [2]. For integer labels pass tf.oneHot(labels, C).',
      ),
    );
  });

  it('refuses an alpha for other classes when it is called', () => {
    expect(() => categoricalFocalCrossentropy({alpha: [0.5, 1]})(tf.ones([2, 3]), tf.ones([2, 3]))).toThrow(
      new TypeError(
        'categoricalFocalCrossentropy: alpha must hold one weight for each of the 3 classes, got 2 weights.',
      ),
    );
  });

  it.each([-0.1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a gamma of %d when it is built', (gamma) => {
    expect(() => categoricalFocalCrossentropy({gamma})).toThrow(
      new RangeError(`categoricalFocalCrossentropy: gamma must be a finite number >= 0, got ${gamma}.`),
    );
  });

  it.each([
    [-0.1, '-0.1'],
    [1.1, '1.1'],
    [Number.NaN, 'NaN'],
    [[0.5, 2], '2'],
    [['0.5'] as never, "'0.5'"],
    ['0.5' as never, "'0.5'"],
  ])('refuses an alpha of %o when it is built', (alpha, shown) => {
    expect(() => categoricalFocalCrossentropy({alpha})).toThrow(
      new RangeError(`categoricalFocalCrossentropy: alpha must be in [0, 1], got ${shown}.`),
    );
  });
});

describeOnBackends('categoricalFocalCrossentropy with an ignoreLabel', () => {
  const oneHot = (labels: number[]) => tf.oneHot(tf.tensor1d(labels, 'int32'), 3);
  const logits = () => tf.tensor2d([1, -1, 0, 2, 0.5, -1, 0, 0, 3, -2, 1, 1], [4, 3]);
  const plain = () => [...categoricalFocalCrossentropy({fromLogits: true})(oneHot([0, 1, 2, 1]), logits()).dataSync()];

  it.each([
    ['outside the classes, which tf.oneHot makes zeros of', 255, () => oneHot([0, 255, 2, 255])],
    ['of a negative number', -1, () => oneHot([0, -1, 2, -1])],
    ['that fills its rows', 255, () => tf.tensor2d([1, 0, 0, 255, 255, 255, 0, 0, 1, 255, 255, 255], [4, 3])],
    ['of a class', 1, () => oneHot([0, 1, 2, 1])],
  ] as [string, number, () => tf.Tensor][])(
    'gives rows of a label %s no loss and no gradient',
    (_, ignoreLabel, ys) => {
      const loss = categoricalFocalCrossentropy({fromLogits: true, ignoreLabel});
      const [first, , third] = plain() as [number, number, number];
      expectClose(loss(ys(), logits()), [first, 0, third, 0], {absolute: 1e-6, relative: 1e-6});
      const gradient = lossGradient(loss, ys(), logits());
      expect(gradient.map((value) => value !== 0)).toEqual([1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0].map(Boolean));
      const valid = loss.valid as (yTrue: tf.Tensor) => tf.Tensor;
      expect([...valid(ys()).dataSync()]).toEqual([1, 0, 1, 0]);
    },
  );

  it('mines none of them, and counts them in no mean', async () => {
    const model = sequential({layers: [layers.dense({units: 3, useBias: false, inputShape: [3]})]});
    model.setWeights([tf.eye(3)]);
    const loss = categoricalFocalCrossentropy({fromLogits: true, ignoreLabel: 255});
    const step = ohemStep(model, {loss, select: topK({ratio: 1}), optimizer: tf.train.sgd(0.1)});
    const {batchLoss, kept} = await step(logits(), oneHot([0, 255, 2, 255])).read();
    const [first, , third] = plain() as [number, number, number];
    expect(kept).toBe(2);
    expect(batchLoss).toBeCloseTo((first + third) / 2, 5);
  });

  it('refuses one that is no integer when it is built', () => {
    expect(() => categoricalFocalCrossentropy({ignoreLabel: 0.5})).toThrow(
      new RangeError('categoricalFocalCrossentropy: ignoreLabel must be an integer, got 0.5.'),
    );
  });
});
