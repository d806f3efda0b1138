import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {uniformFrom} from '../src/random';
import {RUNS} from './support/property';

describe('uniformFrom', () => {
  it('gives the numbers of a seed, in this version and the next', () => {
    // Draws of selectors and orders of epochs depend on them.
    expect([1, 2, 3].map(uniformFrom('1/0'))).toEqual([0.9352068511070684, 0.8853279958711937, 0.4239003279944882]);
  });

  it('gives numbers in (0, 1), the same for the same seed and others for another', () => {
    const property = fc.property(fc.string(), fc.string(), (seed, other) => {
      const numbers = Array.from({length: 20}, uniformFrom(seed));
      expect(numbers.every((number) => number > 0 && number < 1)).toBe(true);
      expect(Array.from({length: 20}, uniformFrom(seed))).toEqual(numbers);
      if (other !== seed) expect(Array.from({length: 20}, uniformFrom(other))).not.toEqual(numbers);
    });
    fc.assert(property, RUNS);
  });
});
