import fc from 'fast-check';
import {all, topK} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RUNS} from '../support/property';
import {lossRows, marks, selected} from '../support/selections';

describeOnBackends('all', () => {
  it('keeps every row, hardest first, ties in their order', () => {
    expect(selected(all(), [0.1, 0.9, 0.3, 0.9])).toEqual({indices: [1, 3, 2, 0], weights: [1, 1, 1, 1]});
    expect(selected(all(), [7])).toEqual({indices: [0], weights: [1]});
  });

  it('gives rows that are not finite or not valid weight 0', () => {
    const {indices, weights} = selected(all(), [1, Number.NaN, 3, 9], {valid: marks([1, 1, 1, 0])});
    expect(indices.slice(0, 2)).toEqual([2, 0]);
    expect(weights).toEqual([1, 1, 0, 0]);
  });

  it('is topK({ratio: 1})', () => {
    fc.assert(
      fc.property(lossRows, (losses) => {
        expect(selected(all(), losses)).toEqual(selected(topK({ratio: 1}), losses));
      }),
      RUNS,
    );
  });
});
