import {describe, expect, it} from 'vitest';
import {reachedAt, valueAt} from '../../../studies/kit/polyline';

const [xs, ys] = [
  [0, 10, 30],
  [1, 2, 6],
];

describe('valueAt', () => {
  it('gives what was measured, and straight lines between', () => {
    expect([0, 5, 10, 15, 30].map((x) => valueAt(xs, ys, x))).toEqual([1, 1.5, 2, 3, 6]);
  });

  it('knows nothing outside of what was measured', () => {
    expect([-1, 31].map((x) => valueAt(xs, ys, x))).toEqual([Number.NaN, Number.NaN]);
    expect(valueAt([], [], 0)).toBeNaN();
  });
});

describe('reachedAt', () => {
  it('gives the first place of a level', () => {
    expect([0, 1, 1.5, 2, 4, 6].map((level) => reachedAt(xs, ys, level))).toEqual([0, 0, 5, 10, 20, 30]);
    expect(reachedAt([0, 1, 2, 3], [0, 2, 0, 2], 1)).toBe(0.5);
  });

  it('knows none of a level that is not reached', () => {
    expect(reachedAt(xs, ys, 7)).toBeNaN();
  });
});
