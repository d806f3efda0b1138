import * as tf from '@tensorflow/tfjs-core';
import {expect, it} from 'vitest';
import {truthLike, withFeatureAxis} from '../../src/losses/truth';
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
