import {describe, expect, it} from 'vitest';
import {estimate, isClear, pairedDifference} from '../../../studies/kit/statistics';

describe('estimate', () => {
  it('gives mean, standard deviation and the margin of a t-interval', () => {
    // By hand: squares 4 + 1 + 0 + 1 + 4 = 10, deviation √(10 / 4), margin 2.776 · √2.5 / √5.
    const {mean, deviation, margin, count} = estimate([1, 2, 3, 4, 5]);
    expect([mean, count]).toEqual([3, 5]);
    expect(deviation).toBeCloseTo(Math.sqrt(2.5), 12);
    expect(margin).toBeCloseTo(2.776 * Math.sqrt(0.5), 12);
  });

  it('knows no margin of a single seed', () => {
    expect(estimate([7])).toEqual({mean: 7, margin: Number.NaN, deviation: Number.NaN, count: 1});
  });

  it('takes the last value of its table for more than 31 seeds', () => {
    const numbers = Array.from({length: 100}, (_, i) => i % 2);
    expect(estimate(numbers).margin).toBeCloseTo((2.042 * Math.sqrt(25 / 99)) / 10, 12);
  });
});

describe('pairedDifference', () => {
  it('leaves out what a seed does to both', () => {
    const {mean, deviation} = pairedDifference([11, 102, 1003], [10, 101, 1002]);
    expect([mean, deviation]).toEqual([1, 0]);
  });

  it('refuses other numbers of seeds', () => {
    expect(() => pairedDifference([1, 2], [1])).toThrow('pairedDifference: other must have 2 seeds as one has, got 1.');
  });
});

describe('isClear', () => {
  it('says whether 0 lies outside the interval', () => {
    expect(isClear(estimate([1, 1.1, 0.9]))).toBe(true);
    expect(isClear(estimate([1, -1, 0.5]))).toBe(false);
    expect(isClear(estimate([1]))).toBe(false);
  });
});
