import {describe, expect, it} from 'vitest';
import {CLASSES} from '../../../../examples/mnist/data/digits';
import {GLYPHS} from '../../../../examples/mnist/data/glyphs';

describe('GLYPHS', () => {
  it('has at least two ways to write each digit', () => {
    expect(GLYPHS.length).toBe(CLASSES);
    for (const ways of GLYPHS) expect(ways.length).toBeGreaterThanOrEqual(2);
  });

  it.each(GLYPHS.map((ways, digit) => ({digit, ways})))(
    'fills the height and stays in the box for $digit',
    ({ways}) => {
      for (const glyph of ways) {
        const points = glyph.flat();
        const heights = points.map(([, y]) => y);
        expect(Math.min(...heights)).toBeGreaterThanOrEqual(-1);
        expect(Math.min(...heights)).toBeLessThan(-0.9);
        expect(Math.max(...heights)).toBeLessThanOrEqual(1);
        expect(Math.max(...heights)).toBeGreaterThan(0.8);
        expect(Math.max(...points.map(([x]) => Math.abs(x)))).toBeLessThanOrEqual(0.7);
      }
    },
  );

  it('writes a corner as one point twice, and no two points alike beside', () => {
    for (const stroke of GLYPHS.flat(2)) {
      stroke.forEach((point, index) => {
        const before = stroke[index - 1];
        if (before && before !== point) expect(before).not.toEqual(point);
      });
    }
  });
});
