import {describe, expect, it} from 'vitest';
import {IMAGE_SIDE, IMAGE_SIZE} from '../../../../examples/mnist/data/digits';
import {drawLine} from '../../../../examples/mnist/data/pen';

const drawn = (...[x0, y0, x1, y1, radius]: [number, number, number, number, number]) => {
  const ink = new Float32Array(IMAGE_SIZE);
  drawLine(ink, x0, y0, x1, y1, radius);
  return {ink, at: (x: number, y: number) => ink[y * IMAGE_SIDE + x]};
};
const sum = (ink: Float32Array) => ink.reduce((total, value) => total + value, 0);

describe('drawLine', () => {
  it('is full within the radius, fades over a pixel, and leaves the rest', () => {
    const {at} = drawn(5, 10.5, 15, 10.5, 1);
    expect(at(10, 10)).toBe(1); // the line runs through its centre
    expect(at(10, 9)).toBe(0.5); // 1 away: half
    expect(at(10, 11)).toBe(0.5);
    expect(at(10, 8)).toBe(0); // 2 away
  });

  it('has round ends', () => {
    const {at} = drawn(10.5, 10.5, 15.5, 10.5, 1);
    expect(at(9, 10)).toBe(0.5);
    expect(at(9, 9)).toBeCloseTo(1.5 - Math.SQRT2, 6);
    expect(at(8, 10)).toBe(0);
  });

  it('covers about its own area, at any angle', () => {
    for (let angle = 0; angle < Math.PI; angle += 0.3) {
      const {ink} = drawn(14, 14, 14 + 8 * Math.cos(angle), 14 + 8 * Math.sin(angle), 1.5);
      expect(Math.abs(sum(ink) / (8 * 3 + Math.PI * 1.5 ** 2) - 1)).toBeLessThan(0.05);
    }
  });

  it('draws a dot where the ends are the same point', () => {
    const {ink, at} = drawn(10.5, 10.5, 10.5, 10.5, 1);
    expect(at(10, 10)).toBe(1);
    expect(ink.every(Number.isFinite)).toBe(true);
  });

  it('keeps what is darker already', () => {
    const {ink, at} = drawn(5, 10.5, 15, 10.5, 1);
    drawLine(ink, 5, 11.5, 15, 11.5, 0.5);
    expect(at(10, 10)).toBe(1);
    expect(at(10, 9)).toBe(0.5);
    expect(at(10, 11)).toBe(1);
  });

  it('is cut off at the border', () => {
    expect(sum(drawn(-50, -50, -10, -10, 2).ink)).toBe(0);
    expect(sum(drawn(40, 3, 90, 5, 2).ink)).toBe(0);
    const across = drawn(-5, 0.5, 40, 0.5, 0.5);
    expect(Array.from(across.ink.subarray(0, IMAGE_SIDE))).toEqual(new Array(IMAGE_SIDE).fill(1));
    expect(sum(across.ink)).toBe(IMAGE_SIDE);
  });
});
