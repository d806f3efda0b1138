import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {hardNegatives} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {wholePart} from '../../src/wholePart';
import {describeOnBackends} from '../support/backends';
import {contextOf, lossesOf, ofEachGroup, rows} from '../support/groupRules';
import {RUNS} from '../support/property';
import {keptRows, marks, selected} from '../support/selections';
import {inProduction} from '../support/tensors';

const LOSSES = [0.9, 0.2, 0.8, 0.4, 0.6, 0.7];

describeOnBackends('hardNegatives', () => {
  it('keeps all positives, and three times as many of the hardest negatives', () => {
    const positive = marks([0, 1, 0, 0, 0, 0]);
    expect(selected(hardNegatives(), LOSSES, {positive})).toEqual({
      indices: [0, 2, 5, 1, 4, 3],
      weights: [1, 1, 1, 1, 0, 0],
    });
  });

  it('counts positives and negatives of each group by itself', () => {
    const context = {positive: marks([0, 1, 0, 0, 1, 0]), group: tf.tensor1d([5, 5, 5, -1, -1, -1], 'int32')};
    expect(keptRows(selected(hardNegatives({ratio: 1}), LOSSES, context))).toEqual([0, 5, 4, 1]);
  });

  it('keeps each positive once where there are fewer negatives than it could keep', () => {
    const positive = marks([1, 1, 1, 0, 1, 1]);
    expect(selected(hardNegatives(), LOSSES, {positive})).toEqual({
      indices: [0, 2, 5, 4, 3, 1],
      weights: [1, 1, 1, 1, 1, 1],
    });
  });

  it('keeps nothing of a group without positives, or minNegatives', () => {
    const context = {positive: marks([1, 0, 0, 0, 0, 0]), group: tf.tensor1d([0, 0, 0, 1, 1, 1], 'int32')};
    expect(keptRows(selected(hardNegatives({ratio: 1}), LOSSES, context))).toEqual([0, 2]);
    expect(keptRows(selected(hardNegatives({ratio: 1, minNegatives: 2}), LOSSES, context))).toEqual([0, 2, 5, 4, 1]);
    expect(selected(hardNegatives(), LOSSES, {positive: marks([0, 0, 0, 0, 0, 0])}).weights).toEqual([
      0, 0, 0, 0, 0, 0,
    ]);
  });

  it('rounds a fractional number of negatives down', () => {
    const positive = marks([1, 1, 1, 0, 0, 0]);
    expect(keptRows(selected(hardNegatives({ratio: 0.9}), LOSSES, {positive}))).toEqual([0, 2, 5, 4, 1]); // 2.7
  });

  it('neither keeps nor counts positives that are not finite or not valid', () => {
    const losses = [Number.NaN, 0.2, 0.8, 0.4, 0.6, 0.7];
    const context = {positive: marks([1, 1, 1, 0, 0, 0]), valid: marks([1, 1, 0, 1, 1, 1])};
    expect(keptRows(selected(hardNegatives({ratio: 2}), losses, context))).toEqual([5, 4, 1]);
  });

  it('keeps what the rule says, whatever is in the batch', () => {
    const options = fc.record({ratio: fc.constantFrom(0, 0.5, 1, 1.5, 3), minNegatives: fc.nat(3)});
    const property = fc.property(rows, options, (batch, option) => {
      const expected = ofEachGroup(batch, (usable) => {
        const positives = usable.filter(({positive}) => positive);
        const count = Math.max(option.minNegatives, wholePart(option.ratio * positives.length));
        return [...positives, ...usable.filter(({positive}) => !positive).slice(0, count)];
      });
      const selection = tf.tidy(() => selected(hardNegatives(option), lossesOf(batch), contextOf(batch)));
      expect(keptRows(selection)).toEqual(expected);
    });
    fc.assert(property, RUNS);
  });

  it('refuses to work without positives, and says where they come from', () => {
    expect(() => hardNegatives()(tf.tensor1d(LOSSES))).toThrow(
      new TypeError(
        'hardNegatives: positive must be in the context, got undefined. Pass it with each batch: step(xs, ys, {positive}), or {context: {positive}} in fitOhem; 1 = a positive example, 0 = a negative one.',
      ),
    );
  });

  it('refuses marks other than 0 and 1 in development; in production such a row is neither', () => {
    const positive = marks([1, 2, 0, 0, 0, Number.NaN]);
    expect(() => hardNegatives()(tf.tensor1d(LOSSES), {positive})).toThrow(
      new RangeError(
        'hardNegatives: positive must hold 0 or 1, got 2 at position 1. From class labels: tf.greater(labels, 0).',
      ),
    );
    expect(keptRows(inProduction(() => selected(hardNegatives(), LOSSES, {positive})))).toEqual([0, 2, 4, 3]);
  });

  it('refuses groups that are not int32', () => {
    const context = {positive: marks([1, 0, 0, 0, 0, 0]), group: marks([0, 0, 0, 1, 1, 1])};
    expect(() => hardNegatives()(tf.tensor1d(LOSSES), context)).toThrow(
      new TypeError(
        "hardNegatives: group must hold int32, got a tensor float32[6]. Ids of groups are integers: tf.tensor1d(ids, 'int32').",
      ),
    );
  });

  it('refuses wrong options when it is built', () => {
    expect(() => hardNegatives({ratio: -1})).toThrow(
      new RangeError('hardNegatives: ratio must be a finite number >= 0, got -1.'),
    );
    expect(() => hardNegatives({minNegatives: 1.5})).toThrow(
      new RangeError('hardNegatives: minNegatives must be an integer >= 0, got 1.5.'),
    );
    expect(() => hardNegatives({negatives: 1} as never)).toThrow(
      new TypeError(
        "hardNegatives: options must have the names ratio, minNegatives, got negatives. Did you mean 'minNegatives'?",
      ),
    );
  });
});
