import {describe, expect, it} from 'vitest';
import {lastDrawn, lonely, movingMedian, thinned} from '../../../../examples/mnist/report/curve';

const upTo = (count: number) => Array.from({length: count}, (_, index) => index + 1);

describe('thinned', () => {
  it('keeps every point while there are few', () => {
    expect(thinned([1, 2], [0.5, 0.25], 2)).toEqual([
      {step: 1, value: 0.5},
      {step: 2, value: 0.25},
    ]);
  });

  it('keeps the lowest and the highest value of every stretch, in the order of the steps', () => {
    const values = [1, 9, 5, 5, 4, 2, 8, 3];
    expect(thinned(upTo(8), values, 4).map(({step, value}) => [step, value])).toEqual([
      [1, 1],
      [2, 9],
      [6, 2],
      [7, 8],
    ]);
  });

  it('draws 30,000 steps with no more than 600 points', () => {
    const values = upTo(30_000).map((step) => Math.sin(step));
    const points = thinned(upTo(30_000), values, 600);
    expect(points.length).toBeLessThanOrEqual(600);
    expect(Math.max(...points.map(({value}) => value ?? 0))).toBe(Math.max(...values));
  });

  it('leaves a gap for NaN, for infinities, and for the null that JSON makes of them', () => {
    const values = [Number.NaN, Number.POSITIVE_INFINITY, null as unknown as number, 1];
    expect(thinned(upTo(4), values, 10).map(({value}) => value)).toEqual([null, null, null, 1]);
  });

  it('leaves a gap for a whole stretch without a value', () => {
    const values = [1, 2, 3, Number.NaN, Number.NaN, Number.NaN, 4, 5, 6];
    expect(thinned(upTo(9), values, 6).map(({value}) => value)).toEqual([1, 3, null, 4, 6]);
  });
});

describe('movingMedian', () => {
  it('is the median of the steps around, cut off at both ends', () => {
    const points = movingMedian(upTo(5), [1, 100, 3, 5, 4], 3, 10);
    expect(points.map(({value}) => value)).toEqual([50.5, 3, 5, 4, 4.5]);
  });

  it('does not count what is not finite, and leaves a gap there', () => {
    const points = movingMedian(upTo(3), [1, Number.NaN, 3], 3, 10);
    expect(points.map(({value}) => value)).toEqual([1, null, 3]);
  });

  it('takes the first and the last step among the few it is allowed', () => {
    const points = movingMedian(upTo(1000), upTo(1000), 1, 3);
    expect(points.map(({step}) => step)).toEqual([1, 501, 1000]);
  });

  it('is a point for a single step, and empty for none', () => {
    expect(movingMedian([7], [0.5], 1, 300)).toEqual([{step: 7, value: 0.5}]);
    expect(movingMedian([], [], 1, 300)).toEqual([]);
  });
});

describe('lonely', () => {
  it('finds the points between gaps, and a single one', () => {
    const [a, gap, b] = [
      {step: 1, value: 1},
      {step: 2, value: null},
      {step: 3, value: 3},
    ];
    expect(lonely([a, gap, b])).toEqual([a, b]);
    expect(lonely([a])).toEqual([a]);
    expect(lonely([a, b])).toEqual([]);
  });
});

describe('lastDrawn', () => {
  it('is the last point that has a value', () => {
    expect(
      lastDrawn([
        {step: 1, value: 0},
        {step: 2, value: null},
      ]),
    ).toEqual({step: 1, value: 0});
    expect(lastDrawn([{step: 2, value: null}])).toBeUndefined();
  });
});
