import {expect, it} from 'vitest';
import {median} from '../../../../examples/mnist/experiment/median';

it('median takes the middle one by size, not by text, and leaves the list as it was', () => {
  const times = [100, 9, 20];
  expect(median(times)).toBe(20);
  expect(times).toEqual([100, 9, 20]);
});

it('median takes the upper of two in the middle', () => {
  expect(median([4, 1, 3, 2])).toBe(3);
});

it('median of nothing is NaN', () => {
  expect(median([])).toBeNaN();
});
