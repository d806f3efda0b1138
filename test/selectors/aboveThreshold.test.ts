import fc from 'fast-check';
import {type AboveThresholdOptions, aboveThreshold} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {wholePart} from '../../src/wholePart';
import {describeOnBackends} from '../support/backends';
import {RUNS, randomFrom} from '../support/property';
import {keptRows, largestRows, lossRows, marks, selected} from '../support/selections';

describe('wholePart', () => {
  it('does not lose 1 to the rounding of a product', () => {
    expect([0.29 * 100, 1.4999999999999998 * 2, 0.1 * 3 * 10, 4.5, 2.999, 0].map(wholePart)).toEqual([
      29, 3, 3, 4, 2, 0,
    ]);
  });
});

describeOnBackends('aboveThreshold', () => {
  it('keeps every loss over the threshold, hardest first', () => {
    expect(selected(aboveThreshold({loss: 0.5}), [0.1, 0.9, 0.3, 0.7])).toEqual({
      indices: [1, 3, 2, 0],
      weights: [1, 1, 0, 0],
    });
  });

  it('does not keep a loss that is the threshold itself', () => {
    expect(keptRows(selected(aboveThreshold({loss: 0.7}), [0.7, 0.8, 0.7]))).toEqual([1]);
  });

  it('takes a probability for the loss −ln p', () => {
    const losses = [0.95, 0.71, 0.7, 0.69, 0.2].map((p) => -Math.log(p));
    expect(keptRows(selected(aboveThreshold({probability: 0.7}), losses))).toEqual([4, 3]);
    expect(keptRows(selected(aboveThreshold({probability: 1}), [0.1, 0, 0.2]))).toEqual([2, 0]);
  });

  it('keeps the hardest row where no loss is over the threshold', () => {
    expect(keptRows(selected(aboveThreshold({loss: 9}), [0.1, 0.9, 0.3]))).toEqual([1]);
  });

  it('keeps at least minK, all of them where the batch is smaller', () => {
    expect(keptRows(selected(aboveThreshold({loss: 0.8, minK: 2}), [0.1, 0.9, 0.3]))).toEqual([1, 2]);
    expect(keptRows(selected(aboveThreshold({loss: 9, minK: 50}), [0.1, 0.9, 0.3]))).toEqual([1, 2, 0]);
  });

  it('keeps at least the whole part of a share of the valid rows', () => {
    const easy = Array.from({length: 9}, (_, row) => row / 100);
    expect(keptRows(selected(aboveThreshold({loss: 9, minRatio: 0.5}), easy))).toEqual([8, 7, 6, 5]);
    const valid = marks(easy.map((_, row) => (row < 5 ? 1 : 0)));
    expect(keptRows(selected(aboveThreshold({loss: 9, minRatio: 0.5}), easy, {valid}))).toEqual([4, 3]);
    expect(keptRows(selected(aboveThreshold({loss: 9, minRatio: 0.01}), easy, {valid}))).toEqual([4]);
    expect(keptRows(selected(aboveThreshold({loss: 9, minRatio: 0.4, minK: 3}), easy, {valid}))).toEqual([4, 3, 2]);
  });

  it('keeps what is over the threshold or among the first', () => {
    const options: fc.Arbitrary<AboveThresholdOptions> = fc.record(
      {
        loss: fc.constantFrom(-3, 0, 0.25, 1, 5),
        minK: fc.integer({min: 1, max: 9}),
        minRatio: fc.constantFrom(0.1, 0.3, 0.5, 1),
      },
      {requiredKeys: ['loss']},
    );
    const property = fc.property(lossRows, options, fc.integer(), (losses, option, seed) => {
      const random = randomFrom(seed);
      const valid = losses.map(() => (random() < 0.7 ? 1 : 0));
      const {loss = 0, minK = 1, minRatio = 0} = option;
      const first = Math.max(minK, wholePart(minRatio * valid.filter(Boolean).length));
      const all = largestRows(losses, {k: losses.length}, valid);
      const kept = all.filter((row, place) => place < first || Math.fround(losses[row] as number) > loss);
      expect(keptRows(selected(aboveThreshold(option), losses, {valid: marks(valid)}))).toEqual(kept);
    });
    fc.assert(property, RUNS);
  });

  it('refuses wrong options when it is built', () => {
    const refused = (options: object) => expect(() => aboveThreshold(options as AboveThresholdOptions));
    refused({}).toThrow(
      new TypeError('aboveThreshold: options must have either loss or probability, got {}. Pass {probability: 0.7}.'),
    );
    refused({loss: 1, probability: 0.5}).toThrow(
      new TypeError(
        'aboveThreshold: options must have either loss or probability, got {loss, probability}. Pass {probability: 0.7}.',
      ),
    );
    refused({loss: Number.NaN}).toThrow(new RangeError('aboveThreshold: loss must be a finite number, got NaN.'));
    refused({probability: 0}).toThrow(new RangeError('aboveThreshold: probability must be in (0, 1], got 0.'));
    refused({loss: 1, minK: 0}).toThrow(new RangeError('aboveThreshold: minK must be an integer >= 1, got 0.'));
    refused({loss: 1, minRatio: 2}).toThrow(new RangeError('aboveThreshold: minRatio must be in (0, 1], got 2.'));
  });
});
