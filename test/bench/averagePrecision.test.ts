import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {averagePrecision} from '../../bench/averagePrecision';

describe('averagePrecision', () => {
  it('is the mean of the precisions at which each positive is found', () => {
    expect(averagePrecision([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0])).toBeCloseTo((1 / 1 + 2 / 3) / 2, 12);
    expect(averagePrecision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBeCloseTo((1 + 2 / 3) / 2, 12);
  });

  it('is 1 for the right order, and the share of positives where all scores are the same', () => {
    expect(averagePrecision([3, -1, 2], [1, 0, 1])).toBe(1);
    expect(averagePrecision([5, 5, 5, 5], [0, 1, 0, 0])).toBe(0.25);
  });

  it('lets rows with the same score enter together', () => {
    expect(averagePrecision([0.9, 0.5, 0.5, 0.1], [0, 1, 0, 1])).toBeCloseTo((1 / 3 + 2 / 4) / 2, 12);
  });

  it('is NaN without a positive, and where a score is NaN', () => {
    expect(averagePrecision([1, 2], [0, 0])).toBeNaN();
    expect(averagePrecision([1, Number.NaN], [1, 0])).toBeNaN();
  });

  it('does not depend on the order of the rows', () => {
    const rows = fc.array(fc.tuple(fc.integer({min: 0, max: 5}), fc.boolean()), {minLength: 1, maxLength: 30});
    const of = (pairs: [number, boolean][]) =>
      averagePrecision(
        pairs.map(([score]) => score),
        pairs.map(([, positive]) => positive),
      );
    fc.assert(
      fc.property(rows, (pairs) => {
        expect(of([...pairs].reverse())).toBe(of(pairs));
      }),
    );
  });
});
