import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {positiveNegativeQuota} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {wholePart} from '../../src/wholePart';
import {describeOnBackends} from '../support/backends';
import {contextOf, lossesOf, ofEachGroup, rows} from '../support/groupRules';
import {RUNS} from '../support/property';
import {keptRows, marks, selected} from '../support/selections';

const LOSSES = [0.9, 0.2, 0.8, 0.4, 0.6, 0.7];

describeOnBackends('positiveNegativeQuota', () => {
  it('keeps up to a share of the hardest positives, and fills up with the hardest negatives', () => {
    const positive = marks([1, 1, 1, 0, 0, 0]);
    expect(selected(positiveNegativeQuota({k: 4, positiveFraction: 0.5}), LOSSES, {positive})).toEqual({
      indices: [0, 2, 5, 4, 3, 1],
      weights: [1, 1, 1, 1, 0, 0],
    });
  });

  it('makes up for missing positives with negatives, and not the other way about', () => {
    const quota = positiveNegativeQuota({k: 4, positiveFraction: 0.5});
    expect(keptRows(selected(quota, LOSSES, {positive: marks([0, 1, 0, 0, 0, 0])}))).toEqual([0, 2, 5, 1]);
    expect(keptRows(selected(quota, LOSSES, {positive: marks([1, 1, 1, 0, 1, 1])}))).toEqual([0, 2, 3]);
  });

  it('keeps no more negatives for each positive than the limit, as if there were one where there is none', () => {
    const quota = positiveNegativeQuota({k: 6, positiveFraction: 0.5, maxNegativesPerPositive: 2});
    expect(keptRows(selected(quota, LOSSES, {positive: marks([0, 1, 0, 0, 0, 0])}))).toEqual([0, 2, 1]);
    expect(keptRows(selected(quota, LOSSES, {positive: marks([0, 0, 0, 0, 0, 0])}))).toEqual([0, 2]);
  });

  it('fills a quota for each group', () => {
    const context = {positive: marks([1, 0, 0, 0, 1, 0]), group: tf.tensor1d([1, 1, 1, 0, 0, 0], 'int32')};
    expect(keptRows(selected(positiveNegativeQuota({k: 2, positiveFraction: 0.5}), LOSSES, context))).toEqual([
      0, 2, 5, 4,
    ]);
  });

  it('keeps what the rule says, whatever is in the batch', () => {
    const options = fc.record(
      {
        k: fc.integer({min: 1, max: 9}),
        positiveFraction: fc.constantFrom(0.25, 0.5, 1),
        maxNegativesPerPositive: fc.constantFrom(0, 0.5, 1, 3),
      },
      {requiredKeys: ['k', 'positiveFraction']},
    );
    const property = fc.property(rows, options, (batch, option) => {
      const {k, positiveFraction, maxNegativesPerPositive: most = Number.POSITIVE_INFINITY} = option;
      const expected = ofEachGroup(batch, (usable) => {
        const positives = usable.filter(({positive}) => positive).slice(0, wholePart(k * positiveFraction));
        const count = Math.min(k - positives.length, wholePart(most * Math.max(1, positives.length)));
        return [...positives, ...usable.filter(({positive}) => !positive).slice(0, count)];
      });
      const selection = tf.tidy(() => selected(positiveNegativeQuota(option), lossesOf(batch), contextOf(batch)));
      expect(keptRows(selection)).toEqual(expected);
    });
    fc.assert(property, RUNS);
  });

  it('refuses wrong options when it is built, and to work without positives', () => {
    const refused = (options: object) => expect(() => positiveNegativeQuota(options as never));
    refused({k: 0, positiveFraction: 0.5}).toThrow(
      new RangeError('positiveNegativeQuota: k must be an integer >= 1, got 0.'),
    );
    refused({k: 4}).toThrow(
      new RangeError('positiveNegativeQuota: positiveFraction must be in (0, 1], got undefined.'),
    );
    refused({k: 4, positiveFraction: 0.5, maxNegativesPerPositive: -1}).toThrow(
      new RangeError('positiveNegativeQuota: maxNegativesPerPositive must be a finite number >= 0, got -1.'),
    );
    expect(() => positiveNegativeQuota({k: 4, positiveFraction: 0.5})(tf.tensor1d(LOSSES))).toThrow(
      /^positiveNegativeQuota: positive must be in the context, got undefined\. Pass it with each batch/,
    );
  });
});
