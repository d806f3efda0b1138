import {constant} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';

describe('constant', () => {
  it('is the same at every step', () => {
    for (const step of [0, 1, 1e6]) expect(constant(0.3).ratio(null, {step})).toBe(0.3);
  });

  it.each([0, -0.5, 1.01, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d', (ratio) => {
    expect(() => constant(ratio)).toThrow(new RangeError(`constant: ratio must be in (0, 1], got ${ratio}.`));
  });
});
