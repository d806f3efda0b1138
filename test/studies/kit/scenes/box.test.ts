import {expect, it} from 'vitest';
import {areaOf, type Box, iouOf, sharedArea} from '../../../../studies/kit/scenes/box';

const box: Box = [0, 0, 10, 10];

it.each<[Box, number, number]>([
  [[0, 0, 10, 10], 100, 1],
  [[5, 0, 15, 10], 50, 1 / 3],
  [[5, 5, 15, 15], 25, 25 / 175],
  [[2, 2, 4, 6], 8, 0.08],
  [[10, 0, 20, 10], 0, 0],
  [[20, 20, 30, 30], 0, 0],
  [[3, 3, 3, 8], 0, 0],
])('A box of 10 by 10 and %j share %d, an IoU of %d', (other, shared, iou) => {
  expect(sharedArea(box, other)).toBe(shared);
  expect(iouOf(box, other)).toBeCloseTo(iou, 12);
  expect(iouOf(other, box)).toBe(iouOf(box, other));
});

it('The area of a box is the product of its sides', () => {
  expect(areaOf([1, 2, 4, 9])).toBe(21);
});
