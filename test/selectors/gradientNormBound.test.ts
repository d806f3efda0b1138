import * as tf from '@tensorflow/tfjs-core';
import {
  all,
  categoricalCrossentropy,
  gradientNormBound,
  importanceSampling,
  ohemStep,
  type SelectionContext,
  scored,
  topK,
} from 'ohem-tfjs';
import {beforeAll, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {randomFrom} from '../support/property';
import {lossGradient, valuesOf} from '../support/tensors';
import {tinyModel, tinyXs, tinyYs} from '../support/tinyModel';

const NEAR = {absolute: 1e-6, relative: 1e-5};
const scores = (rows: number, context: SelectionContext, options = {}) =>
  valuesOf(() => gradientNormBound(options)(tf.ones([rows]), context));

describeOnBackends('gradientNormBound', () => {
  let yPred: tf.Tensor2D;
  beforeAll(() => {
    yPred = tf.tensor2d([
      [0.4, 0.6],
      [0.9, 0.1],
      [0, 1],
    ]);
  });

  it('is the distance of the prediction from the truth', () => {
    const expected = [Math.hypot(0.6, 0.6), Math.hypot(0.1, 0.1), Math.SQRT2];
    for (const yTrue of [
      tf.tensor2d([
        [1, 0],
        [1, 0],
        [1, 0],
      ]),
      tf.tensor1d([0, 0, 0], 'int32'),
      tf.tensor1d([0, 0, 0]),
      tf.tensor2d([[0], [0], [0]], [3, 1], 'int32'),
      tf.oneHot(tf.tensor1d([0, 0, 0], 'int32'), 2),
    ]) {
      expectClose(scores(3, {yTrue, yPred}), expected, NEAR);
    }
  });

  it('takes the softmax of logits', () => {
    const logits = tf.tensor2d([
      [Math.log(4), Math.log(6)],
      [80, -80],
    ]);
    expectClose(
      scores(2, {yTrue: tf.tensor1d([0, 1]), yPred: logits}, {fromLogits: true}),
      [Math.hypot(0.6, 0.6), Math.SQRT2],
      NEAR,
    );
  });

  it('takes the sigmoid of logits of binary labels, by the context or the loss', () => {
    const logits = tf.tensor2d([
      [Math.log(4), -Math.log(4), 0],
      [80, -80, 80],
    ]);
    const yTrue = tf.tensor2d([
      [1, 1, 0],
      [0, 0, 1],
    ]);
    const expected = [Math.hypot(0.2, 0.8, 0.5), 1];
    expectClose(scores(2, {yTrue, yPred: logits, binary: true}, {fromLogits: true}), expected, NEAR);
    const shares = tf.sigmoid(logits);
    expectClose(scores(2, {yTrue, yPred: shares, binary: true}), expected, NEAR);
    expect(() => scores(2, {yTrue: tf.tensor1d([0, 1]), yPred: logits, binary: true})).toThrow(
      new TypeError('gradientNormBound: yTrue must have shape [2, 3], a label for each prediction, got [2].'),
    );
  });

  it('is the norm of the gradient of the crossentropy with respect to the logits', () => {
    const random = randomFrom(3);
    const logits = tf.tensor2d(
      Array.from({length: 50}, () => 8 * random() - 4),
      [10, 5],
    );
    const yTrue = tf.oneHot(
      tf.tensor1d(
        Array.from({length: 10}, () => Math.floor(5 * random())),
        'int32',
      ),
      5,
    );
    const gradient = lossGradient(categoricalCrossentropy({fromLogits: true}), yTrue, logits);
    const norms = Array.from({length: 10}, (_, row) => Math.hypot(...gradient.slice(5 * row, 5 * row + 5)));
    expectClose(scores(10, {yTrue, yPred: logits}, {fromLogits: true}), norms, NEAR);
  });

  it('counts a label that is no class as none, and is finite', () => {
    const labels = tf.tensor1d([255, -1, 0.5]);
    expectClose(scores(3, {yTrue: labels, yPred}), [Math.hypot(0.4, 0.6), Math.hypot(0.9, 0.1), 1], NEAR);
  });

  it('scores each pixel where there is a loss for each', () => {
    const images = tf.reshape(tf.concat([yPred, yPred]), [2, 3, 1, 2]);
    const labels = tf.zeros([2, 3, 1], 'int32');
    const once = [Math.hypot(0.6, 0.6), Math.hypot(0.1, 0.1), Math.SQRT2];
    expectClose(scores(6, {yTrue: labels, yPred: images}), [...once, ...once], NEAR);
  });

  it('finds truth and prediction in a step', () => {
    const loss = categoricalCrossentropy();
    const report = ohemStep(tinyModel(), {loss, select: all(), optimizer: tf.train.sgd(0)})(tinyXs(), tinyYs());
    const byLoss = [...report.selection.indices.dataSync()];
    report.dispose();
    // With two classes the norm is √2 · (1 − p of the truth): the same order.
    for (const select of [topK({k: 3}), importanceSampling({k: 3, seed: 1})]) {
      const mined = ohemStep(tinyModel(), {
        loss,
        select: scored(select, gradientNormBound()),
        optimizer: tf.train.sgd(0),
      });
      const {selection, ...rest} = mined(tinyXs(), tinyYs());
      const ranks = [...selection.indices.dataSync()].map((row) => byLoss.indexOf(row));
      expect(ranks).toEqual([...ranks].sort());
      tf.dispose([selection, rest.losses, rest.loss, rest.batchLoss, rest.nonFinite]);
    }
  });

  it('refuses to go without truth and prediction', () => {
    const remedy = 'It is for models with one output.';
    expect(() => scores(3, {})).toThrow(
      new TypeError(
        `gradientNormBound: yPred must have shape [3, C], C >= 2 classes for each row, got undefined. ${remedy}`,
      ),
    );
    expect(() => scores(3, {yPred})).toThrow(
      new TypeError('gradientNormBound: yTrue must have shape [3] of labels or [3, 2], one-hot, got undefined.'),
    );
  });

  it('refuses what are no classes of the rows', () => {
    for (const [wrong, shown] of [
      [tf.ones([3]), '[3]'],
      [tf.ones([3, 1]), '[3, 1]'],
      [tf.ones([4, 2]), '[4, 2]'],
    ] as const) {
      expect(() => scores(3, {yTrue: tf.zeros([3]), yPred: wrong})).toThrow(
        new TypeError(`gradientNormBound: yPred must have shape [3, C], C >= 2 classes for each row, got ${shown}.`),
      );
    }
    for (const [wrong, shown] of [
      [tf.ones([2]), '[2]'],
      [tf.ones([3, 4]), '[3, 4]'],
    ] as const) {
      expect(() => scores(3, {yTrue: wrong, yPred})).toThrow(
        new TypeError(`gradientNormBound: yTrue must have shape [3] of labels or [3, 2], one-hot, got ${shown}.`),
      );
    }
  });

  it('refuses unknown options', () => {
    expect(() => gradientNormBound({logits: true} as never)).toThrow(
      new TypeError('gradientNormBound: options must have the names fromLogits, got logits.'),
    );
  });
});
