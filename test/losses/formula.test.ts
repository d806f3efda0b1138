import * as tf from '@tensorflow/tfjs-core';
import {expect, it} from 'vitest';
import {classesOf, errorsOf, matched, truthLike, withFeatureAxis} from '../../src/losses/formula';
import {describeOnBackends} from '../support/backends';

describeOnBackends('withFeatureAxis', () => {
  it('reads one value a row as one feature, and leaves other predictions as they are', () => {
    expect(withFeatureAxis('f', tf.ones([3])).shape).toEqual([3, 1]);
    expect(withFeatureAxis('f', tf.ones([1])).shape).toEqual([1, 1]);
    expect(withFeatureAxis('f', tf.ones([3, 2])).shape).toEqual([3, 2]);
    expect(withFeatureAxis('f', tf.ones([3, 1, 2])).shape).toEqual([3, 1, 2]);
  });

  it('refuses a scalar', () => {
    expect(() => withFeatureAxis('f', tf.scalar(1))).toThrow(new TypeError('f: yPred must have a batch axis, got [].'));
  });
});

describeOnBackends('truthLike', () => {
  it.each([
    {truth: [3, 2], predicted: [3, 2]},
    {truth: [3], predicted: [3, 1]},
    {truth: [3, 1], predicted: [3]},
    {truth: [3, 2, 1], predicted: [3, 2]},
    {truth: [3, 2], predicted: [3, 2, 1]},
    {truth: [1], predicted: [1, 1]},
    {truth: [1, 1], predicted: [1]},
    {truth: [3, 1], predicted: [3, 1, 1]},
    {truth: [3, 1, 1], predicted: [3, 1]},
  ])('brings a truth $truth into the shape $predicted', ({truth, predicted}) => {
    const like = truthLike('f', tf.ones(truth, 'int32'), tf.ones(predicted));
    expect([like.dtype, like.shape]).toEqual(['float32', predicted]);
  });

  it.each([
    {truth: [3, 2], predicted: [2, 3]},
    {truth: [6], predicted: [3, 2]},
    {truth: [1, 3], predicted: [3]},
    {truth: [3, 1, 1], predicted: [3]},
    {truth: [], predicted: [1, 1]},
    {truth: [2, 1], predicted: [2, 3]},
  ])('refuses a truth $truth for predictions $predicted, and gives the remedy', ({truth, predicted}) => {
    expect(() => truthLike('f', tf.ones(truth), tf.ones(predicted), 'Do this.')).toThrow(
      new TypeError(
        `f: yTrue must have the shape of yPred, [${predicted.join(', ')}], got [${truth.join(', ')}]. Do this.`,
      ),
    );
  });
});

describeOnBackends('matched', () => {
  it('brings truth and predictions of one value a row into one shape', () => {
    for (const batchSize of [1, 3]) {
      for (const truth of [[batchSize], [batchSize, 1]]) {
        for (const predicted of [[batchSize], [batchSize, 1]]) {
          const both = matched('f', tf.ones(truth), tf.ones(predicted));
          expect([both.truth.shape, both.predicted.shape]).toEqual([
            [batchSize, 1],
            [batchSize, 1],
          ]);
        }
      }
    }
  });

  it('refuses a scalar prediction, and a truth for other rows', () => {
    expect(() => matched('f', tf.ones([2]), tf.scalar(1))).toThrow(
      new TypeError('f: yPred must have a batch axis, got [].'),
    );
    expect(() => matched('f', tf.ones([3]), tf.ones([2]))).toThrow(
      new TypeError('f: yTrue must have the shape of yPred, [2, 1], got [3].'),
    );
  });
});

describeOnBackends('errorsOf', () => {
  it('is positive where too much is predicted', () => {
    const errors = errorsOf('f', tf.tensor1d([1, 2], 'int32'), tf.tensor2d([[4], [0.5]]));
    expect([errors.dtype, errors.shape, [...errors.dataSync()]]).toEqual(['float32', [2, 1], [3, -1.5]]);
  });
});

describeOnBackends('classesOf', () => {
  it('is the size of the last axis', () => {
    expect(classesOf('f', tf.ones([2, 3]))).toBe(3);
    expect(classesOf('f', tf.ones([2, 3, 4]))).toBe(4);
  });

  it('refuses predictions without a class axis', () => {
    expect(() => classesOf('f', tf.ones([2]))).toThrow(new TypeError('f: yPred must have shape [B, …, C], got [2].'));
  });
});
