import * as tf from '@tensorflow/tfjs-core';
import {expect, it} from 'vitest';
import {keepLargest, rankable, reordered, selectable} from '../../src/selectors/ranking';
import {describeOnBackends} from '../support/backends';

const bools = (tensor: tf.Tensor) => [...tensor.dataSync()].map(Boolean);

describeOnBackends('selectable', () => {
  it('marks the rows with a finite loss', () => {
    const losses = tf.tensor1d([1, Number.NaN, -2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]);
    expect(bools(selectable('f', losses))).toEqual([true, false, true, false, false, true]);
  });

  it.each(['float32', 'int32', 'bool'] as const)('leaves out rows that are not valid, given as %s', (dtype) => {
    const valid = tf.tensor1d([1, 1, 0], dtype);
    expect(bools(selectable('f', tf.tensor1d([1, Number.NaN, 3]), {valid}))).toEqual([true, false, false]);
  });

  it('refuses a valid of another shape', () => {
    for (const [valid, shown] of [
      [tf.ones([2]), '[2]'],
      [tf.ones([3, 1]), '[3, 1]'],
    ] as const) {
      expect(() => selectable('f', tf.tensor1d([1, 2, 3]), {valid: valid as tf.Tensor1D})).toThrow(
        new TypeError(`f: valid must have shape [3], one value for each row, got ${shown}.`),
      );
    }
  });
});

describeOnBackends('rankable', () => {
  it('puts a row that may not be selected below every score', () => {
    const scores = tf.tensor1d([Number.NaN, -3e38, Number.POSITIVE_INFINITY, 5]);
    const ranked = rankable(scores, tf.tensor1d([0, 1, 0, 1], 'bool')).dataSync();
    expect([ranked[1], ranked[3]]).toEqual([Math.fround(-3e38), 5]);
    for (const place of [0, 2]) expect(ranked[place]).toBeLessThan(-3e38);
  });
});

describeOnBackends('keepLargest', () => {
  it('keeps the largest scores, largest first, and gives what may not be selected weight 0', () => {
    const rows = tf.tensor1d([1, 0, 1, 1], 'bool');
    const {indices, weights} = keepLargest(rankable(tf.tensor1d([1, 9, 3, 2]), rows), {k: 4});
    expect([indices.dtype, weights.dtype]).toEqual(['int32', 'float32']);
    expect([[...indices.dataSync()], [...weights.dataSync()]]).toEqual([
      [2, 3, 0, 1],
      [1, 1, 1, 0],
    ]);
  });

  it('counts a ratio of the valid rows, not of those that also have a finite loss', () => {
    const rows = tf.tensor1d([0, 1, 1, 1, 0, 0], 'bool'); // row 0 is valid, but its loss is not finite
    const valid = tf.tensor1d([1, 1, 1, 1, 0, 0]);
    const kept = keepLargest(rankable(tf.tensor1d([9, 1, 2, 3, 4, 5]), rows), {ratio: 0.5}, {valid});
    expect([[...kept.indices.dataSync()], [...kept.weights.dataSync()]]).toEqual([
      [3, 2, 1],
      [1, 1, 0],
    ]);
  });
});

describeOnBackends('reordered', () => {
  it('orders what is kept by the scores of its places, and puts what is not kept last', () => {
    const selection = {indices: tf.tensor1d([4, 7, 2, 9], 'int32'), weights: tf.tensor1d([1, 0, 0.5, 2])};
    const {indices, weights} = reordered(selection, tf.tensor1d([1, 99, 3, 2]));
    expect(indices.dtype).toBe('int32');
    expect([[...indices.dataSync()], [...weights.dataSync()]]).toEqual([
      [2, 9, 4, 7],
      [0.5, 2, 1, 0],
    ]);
  });
});
