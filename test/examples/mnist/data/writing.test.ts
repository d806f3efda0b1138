import {describe, expect, it} from 'vitest';
import {IMAGE_SIDE, IMAGE_SIZE} from '../../../../examples/mnist/data/digits';
import type {Glyph, Point} from '../../../../examples/mnist/data/glyphs';
import type {Hand} from '../../../../examples/mnist/data/hand';
import {writeGlyph} from '../../../../examples/mnist/data/writing';
import {seededRandom} from '../../../../examples/mnist/experiment/random';

/** Upright, without a tremor: glyph units are 10 pixels. */
const STEADY: Hand = {
  rotation: 0,
  slant: 0,
  halfHeight: 10,
  aspect: 1,
  bend: [0, 0],
  shift: [0, 0],
  wobble: 0,
  penRadius: 0.5,
  penChange: 0,
  gaps: 0,
  ink: 1,
  blur: 0,
  hidden: 0,
  noise: 0,
};
const written = (glyph: Glyph, hand: Partial<Hand> = {}) => {
  const ink = new Float32Array(IMAGE_SIZE);
  writeGlyph(ink, glyph, {...STEADY, ...hand}, seededRandom(1));
  return {ink, at: (x: number, y: number) => ink[Math.floor(y) * IMAGE_SIDE + Math.floor(x)] as number};
};
const sum = (ink: Float32Array) => ink.reduce((total, value) => total + value, 0);
const upright: Glyph = [
  [
    [0.05, -1],
    [0.05, 0],
    [0.05, 1],
  ],
];
const point: Point = [0.05, -0.95];
const hook: Glyph = [[[-0.85, -0.95], point, point, [0.05, 0.85]]];

describe('writeGlyph', () => {
  it('runs straight through points in a line', () => {
    const {at, ink} = written(upright);
    for (let y = 4; y < 24; y++) expect(at(14, y)).toBe(1);
    expect(sum(ink)).toBeCloseTo(20 + 1, 5); // and half a pixel beyond either end
  });

  it('turns sharply at a corner, without a loop beyond it', () => {
    const {at} = written(hook);
    expect(at(14, 4)).toBe(1);
    expect(at(6, 4)).toBe(1);
    expect(at(14, 22)).toBe(1);
    expect(at(16, 4)).toBe(0);
    expect(at(14, 2)).toBe(0);
  });

  it('keeps the two points of a corner together, however they stray', () => {
    // Between points that coincide there is nothing to draw.
    expect(sum(written([[point, point]], {wobble: 0.2}).ink)).toBe(0);
    expect(sum(written([[point, [0.05, -0.95]]], {wobble: 0.2}).ink)).toBeGreaterThan(0);
  });

  it('turns clockwise, leans the top to the right, and shifts', () => {
    expect(written(upright, {rotation: Math.PI / 2}).at(10, 14)).toBe(1);
    const leaning = written(upright, {slant: 0.5});
    expect(leaning.at(18, 5)).toBeGreaterThan(0.4);
    expect(leaning.at(10, 22)).toBeGreaterThan(0.4);
    expect(written(upright, {shift: [3, 0]}).at(17, 14)).toBe(1);
  });

  it('skips about the given share of a stroke', () => {
    const share = sum(written(upright, {gaps: 0.4}).ink) / sum(written(upright).ink);
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.9);
  });

  it('changes the pen from the start of a stroke to its end', () => {
    const {ink} = written(upright, {penRadius: 1.5, penChange: 0.5});
    const row = (y: number) => sum(ink.subarray(y * IMAGE_SIDE, (y + 1) * IMAGE_SIDE));
    expect(row(22)).toBeGreaterThan(2 * row(5));
  });
});
