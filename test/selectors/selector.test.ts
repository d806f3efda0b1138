import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {topK} from 'ohem-tfjs';
import {expect, it, vi} from 'vitest';
import {largest, selector, wrapper} from '../../src/selectors/selector';
import {describeOnBackends} from '../support/backends';
import {RUNS} from '../support/property';
import {keeps, lossRows, marks, selected} from '../support/selections';
import {leftBy, valuesOf} from '../support/tensors';

const everything = (rows: number) => ({indices: tf.range(0, rows, 1, 'int32'), weights: tf.ones<tf.Rank.R1>([rows])});

describeOnBackends('selector', () => {
  it('passes losses, the rows that may be selected, and the context', () => {
    const context = {step: 3, valid: marks([1, 1, 0])};
    const seen = vi.fn();
    const select = selector('f', ({losses, rows, context}) => {
      seen([...losses.dataSync()], [...rows.dataSync()].map(Boolean), context);
      return everything(3);
    });
    tf.dispose(select(tf.tensor1d([1, Number.NaN, 3]), context));
    expect(seen.mock.calls).toEqual([[[1, Number.NaN, 3], [true, false, false], context]]);
    expect(seen.mock.calls[0]?.[2]).toBe(context);
  });

  it.each(['int32', 'bool'] as const)('converts losses %s to a buffer of float32', (dtype) => {
    const seen: unknown[] = [];
    const select = selector('f', ({losses}) => {
      seen.push(losses.dtype, losses.dataSync());
      return everything(2);
    });
    tf.dispose(select(tf.tensor1d([1, 0], dtype)));
    expect(seen).toEqual(['float32', new Float32Array([1, 0])]);
  });

  it('runs off any tape, and leaves the tape around it as it was', () => {
    const select = selector('f', ({losses}) => ({
      indices: tf.tensor1d([0], 'int32'),
      weights: tf.sum<tf.Tensor1D>(losses, 0, true),
    }));
    const gradient = tf.grad((x) => {
      const {weights} = select(tf.mul(x, 2) as tf.Tensor1D);
      return tf.sum(tf.mul(weights, x));
    });
    // w = Σ 2x is a constant: d/dx w·x = w, without the 2 of its own gradient.
    expect([...gradient(tf.tensor1d([1, 2])).dataSync()]).toEqual([6, 6]);
  });

  it('has the weights of the kept rows as the gradient of Σ w · l, in any batch', () => {
    const property = fc.property(lossRows, keeps, (losses, keep) => {
      const {indices, weights} = selected(topK(keep), losses);
      const objective = (x: tf.Tensor) => {
        const kept = topK(keep)(x as tf.Tensor1D);
        const ofRows = tf.scatterND(tf.expandDims(kept.indices, 1), kept.weights, [losses.length]);
        return tf.sum(tf.mul(ofRows, x));
      };
      const expected = losses.map((_, row) => weights[indices.indexOf(row)] ?? 0);
      expect(valuesOf(() => tf.grad(objective)(tf.tensor1d(losses)))).toEqual(expected);
    });
    fc.assert(property, RUNS);
  });

  it('disposes what it made when it throws, also within a gradient', () => {
    const fails = selector('f', ({losses}) => {
      tf.neg(losses);
      throw new Error('no choice');
    });
    const losses = tf.tensor1d([1, 2], 'int32');
    expect(leftBy(() => void expect(() => fails(losses)).toThrow('no choice'))).toBe(0);
    const caught = () =>
      tf.grad((x) => {
        expect(() => fails(losses)).toThrow('no choice');
        return tf.square(x);
      })(tf.scalar(3));
    expect(leftBy(caught)).toBe(1); // the scalar 3
  });

  it.each([
    [[1, 2], 'be float32[B], got [1, 2].'],
    [undefined, 'be float32[B], got undefined.'],
    ['string', 'be float32[B], got a tensor string[2].'],
    [[2, 3], 'have shape [B] with B >= 1, got [2, 3]. Reduce over every axis but the first.', 'shape'],
    [[], 'have shape [B] with B >= 1, got []. Reduce over every axis but the first.', 'shape'],
    [[0], 'have shape [B] with B >= 1, got [0]. Reduce over every axis but the first.', 'shape'],
  ] as const)('refuses losses %j', (kind, message, isShape?: string) => {
    const wrong = kind === 'string' ? tf.tensor1d(['a', 'b']) : isShape ? tf.zeros([...(kind ?? [])]) : kind;
    const losses = wrong as tf.Tensor1D;
    const select = selector(
      'f',
      () => everything(2),
      () => tf.ones([1]),
    );
    for (const call of [select, select.remember as NonNullable<typeof select.remember>]) {
      const refused = () => expect(() => call(losses)).toThrow(new TypeError(`f: losses must ${message}`));
      expect(leftBy(() => void refused())).toBe(0);
    }
  });

  it('has a memory or a schedule only if it is built with one', () => {
    expect(Object.keys(selector('f', () => everything(1)))).toEqual([]);
    const remember = () => tf.ones<tf.Rank.R1>([1]);
    const schedule = {init: () => null, ratio: () => 1, next: () => null};
    expect(Object.keys(wrapper('f', () => everything(1), {remember, schedule})).sort()).toEqual([
      'remember',
      'schedule',
    ]);
  });
});

describeOnBackends('largest', () => {
  it('keeps the rows with the largest scores', () => {
    const byDistance = largest('f', {k: 2}, (losses) => tf.abs(tf.sub(losses, 2)));
    expect(selected(byDistance, [1.5, 0, 2, 5])).toEqual({indices: [3, 1], weights: [1, 1]});
  });
});
