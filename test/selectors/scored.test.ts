import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {constant, percentileSampling, randomK, type Score, type Selector, scheduled, scored, topK} from 'ohem-tfjs';
import {expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RUNS} from '../support/property';
import {keeps, keptRows, largestRows, lossRows, marks, selected} from '../support/selections';
import {leftBy, valuesOf} from '../support/tensors';

const negative: Score = (losses) => tf.neg(losses);

describeOnBackends('scored', () => {
  it('lets the selector go by the score', () => {
    expect(selected(scored(topK({k: 2}), negative), [0.1, 0.9, 0.3, 0.7])).toEqual({indices: [0, 2], weights: [1, 1]});
  });

  it('keeps no row whose loss or whose score is not finite, or that is not valid', () => {
    const losses = [Number.NaN, Number.POSITIVE_INFINITY, 1, 2, 3, 4];
    const scores: Score = () => tf.tensor1d([9, 9, 1, Number.NaN, 2, 3]);
    const selection = selected(scored(topK({k: 6}), scores), losses, {valid: marks([1, 1, 1, 1, 1, 0])});
    expect(keptRows(selection)).toEqual([4, 2]);
  });

  it('hands the context to the score and to the selector', () => {
    const [score, select] = [vi.fn(negative), vi.fn(topK({k: 1}))];
    const [losses, context] = [tf.tensor1d([1, 2]), {step: 3, valid: marks([1, 1])}];
    tf.dispose(scored(select as Selector, score)(losses, context));
    expect(score.mock.calls[0]).toEqual([losses, context]);
    expect(select.mock.calls[0]?.[1]).toBe(context);
  });

  it('takes scores of whole numbers, and masks', () => {
    const whole: Score = () => tf.tensor1d([2, 5, 3], 'int32');
    expect(selected(scored(topK({k: 2}), whole), [1, 1, 1])).toEqual({indices: [1, 2], weights: [1, 1]});
    const mask: Score = () => tf.tensor1d([false, true, true], 'bool');
    expect(selected(scored(topK({k: 2}), mask), [1, 1, 1])).toEqual({indices: [1, 2], weights: [1, 1]});
  });

  it('runs the score off the tape: variables in it get no gradient', () => {
    const slope = tf.variable(tf.scalar(-1));
    const select = scored(topK({k: 2}), (losses) => tf.mul(losses, slope) as tf.Tensor1D);
    const {grads} = tf.variableGrads(() => {
      const losses = tf.mul(tf.tensor1d([1, 2, 3]), tf.square(slope)) as tf.Tensor1D;
      const {indices, weights} = select(losses);
      return tf.sum(tf.mul(tf.scatterND(tf.expandDims(indices, 1), weights, [3]), losses));
    });
    // d/ds Σ_{1, 2} x s² at s = −1: the score picks rows, and is in no gradient.
    expect(Object.values(grads).map((gradient) => gradient.dataSync()[0])).toEqual([-6]);
    slope.dispose();
  });

  it('keeps the smallest losses when they are scored by their negatives, of any batch', () => {
    const property = fc.property(lossRows, keeps, (losses, keep) => {
      const smallest = largestRows(
        losses.map((loss) => -loss),
        keep,
      );
      expect(keptRows(selected(scored(topK(keep), negative), losses))).toEqual(smallest);
    });
    fc.assert(property, RUNS);
  });

  it('remembers scores, where the selector remembers anything', () => {
    const select = scored(percentileSampling({power: 1}), negative);
    const losses = tf.tensor1d([1, Number.NaN, 3]);
    const memory = tf.tensor1d([7]);
    expect(valuesOf(() => select.remember?.(losses, {memory}) as tf.Tensor)).toEqual([-1, Number.NaN, -3, 7]);
    expect(valuesOf(() => select.remember?.(losses, {memory: null}) as tf.Tensor)).toEqual([-1, Number.NaN, -3]);
    expect(leftBy(() => select.remember?.(losses, {memory}) as tf.Tensor)).toBe(0);
    expect(scored(randomK({k: 1}), negative)).not.toHaveProperty('remember');
  });

  it('has the schedule of the selector, if there is one', () => {
    const select = scheduled(topK, constant(0.5));
    expect(scored(select, negative).schedule).toBe(select.schedule);
    expect(scored(topK({k: 1}), negative)).not.toHaveProperty('schedule');
  });

  it('leaks nothing, also when the score throws or is wrong', () => {
    const losses = tf.tensor1d([1, 2, 3]);
    const fails: Score = (given) => {
      tf.neg(given);
      throw new Error('no score');
    };
    expect(leftBy(() => scored(topK({k: 1}), negative)(losses))).toBe(0);
    expect(leftBy(() => void expect(() => scored(topK({k: 1}), fails)(losses)).toThrow('no score'))).toBe(0);
    expect(leftBy(() => void expect(() => scored(topK({k: 1}), () => tf.ones([2]))(losses)).toThrow())).toBe(0);
  });

  it('refuses a score of another shape', () => {
    const run = (score: unknown) => () => scored(topK({k: 1}), () => score as tf.Tensor1D)(tf.tensor1d([1, 2, 3]));
    for (const [score, shown] of [
      [tf.ones([2]), '[2]'],
      [tf.ones([3, 1]), '[3, 1]'],
      [tf.scalar(1), '[]'],
    ] as const) {
      expect(run(score)).toThrow(
        new TypeError(`scored: score must have shape [3], one value for each row, got ${shown}.`),
      );
    }
    expect(run([1, 2, 3])).toThrow(
      new TypeError('scored: score must be a tensor of shape [3], got [1, 2, 3]. Make one with tf.tensor1d().'),
    );
  });

  it('refuses what is no selector and what is no score when it is built', () => {
    expect(() => scored({k: 3} as never, negative)).toThrow(
      new TypeError('scored: selector must be a selector, got {k}. Build one: topK({ratio: 0.75}).'),
    );
    expect(() => scored(topK({k: 3}), tf.ones([3]) as never)).toThrow(
      new TypeError(
        'scored: score must be a function of losses and context, got a tensor float32[3]. Build one: reducibleLoss().',
      ),
    );
  });
});
