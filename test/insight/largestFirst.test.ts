import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {largestFirst} from '../../src/insight/largestFirst';
import {RUNS} from '../support/property';

describe('largestFirst', () => {
  it('gives the places with the largest keys, equal keys in their order, and leaves out NaN', () => {
    const keys = [1, 3, Number.NaN, 3, 0, Number.POSITIVE_INFINITY];
    expect([...largestFirst(keys.length, 3, (place) => keys[place] as number)]).toEqual([5, 1, 3]);
    expect([...largestFirst(keys.length, 9, (place) => keys[place] as number)]).toEqual([5, 1, 3, 0, 4]);
  });

  it('gives what sorting all of them would give', () => {
    const key = fc.oneof(fc.integer({min: 0, max: 9}), fc.double());
    fc.assert(
      fc.property(
        fc.array(key, {minLength: 1, maxLength: 2000, size: 'max'}),
        fc.integer({min: 1, max: 600}),
        (keys, count) => {
          const sorted = keys
            .map((_, place) => place)
            .filter((place) => !Number.isNaN(keys[place]))
            .sort((a, b) => (keys[b] as number) - (keys[a] as number) || a - b);
          expect([...largestFirst(keys.length, count, (place) => keys[place] as number)]).toEqual(
            sorted.slice(0, count),
          );
        },
      ),
      RUNS,
    );
  });
});
