import fc from 'fast-check';
import {smallestK} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RUNS} from '../support/property';
import {keeps, keptRows, largestRows, lossRows, marks, selected} from '../support/selections';

describeOnBackends('smallestK', () => {
  it('keeps the k smallest losses, easiest first', () => {
    expect(selected(smallestK({k: 2}), [0.1, 0.9, 0.3, -0.7])).toEqual({indices: [3, 0], weights: [1, 1]});
  });

  it('keeps the lower index of equal losses', () => {
    expect(selected(smallestK({k: 3}), [1, 0, 1, 0, 1]).indices).toEqual([1, 3, 0]);
  });

  it('keeps a share of the valid rows', () => {
    const valid = marks([1, 1, 1, 1, 0, 0]);
    expect(selected(smallestK({ratio: 0.5}), [5, 4, 3, 2, 1, 0], {valid})).toEqual({
      indices: [3, 2, 1],
      weights: [1, 1, 0],
    });
  });

  it('keeps what topK would of the negated losses', () => {
    const property = fc.property(lossRows, keeps, (losses, keep) => {
      const kept = keptRows(selected(smallestK(keep), losses));
      expect(kept).toEqual(
        largestRows(
          losses.map((loss) => -loss),
          keep,
        ),
      );
    });
    fc.assert(property, RUNS);
  });

  it('refuses wrong options when it is built', () => {
    expect(() => smallestK({k: 0})).toThrow(new RangeError('smallestK: k must be an integer >= 1, got 0.'));
  });
});
