import {describe, expect, it} from 'vitest';
import {LOSS_BINS, lossCounts} from '../../../../examples/mnist/experiment/lossCounts';

describe('lossCounts', () => {
  it('counts losses in even parts of [0, 1]', () => {
    expect(lossCounts([0, 0.1, 0.25, 0.49, 0.5, 0.99], 4)).toEqual([2, 2, 1, 1]);
  });

  it('counts 1 in the last bin, and what lies outside in the nearest', () => {
    expect(lossCounts([1, 1.5, 1.1, -0.1, -2], 4)).toEqual([2, 0, 0, 3]);
  });

  it('leaves out NaN and infinite ones', () => {
    expect(lossCounts([Number.NaN, 0.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], 2)).toEqual([0, 1]);
  });

  it('has 25 bins by default', () => {
    expect(lossCounts(Float32Array.of(0.5))).toHaveLength(LOSS_BINS);
    expect(LOSS_BINS).toBe(25);
  });
});
