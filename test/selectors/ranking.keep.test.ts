import {describe, expect, it} from 'vitest';
import {checkKeep, keptOf} from '../../src/selectors/ranking';
import type {Keep} from '../../src/types';
import {wholePart} from '../../src/wholePart';

describe('checkKeep', () => {
  it.each<Keep>([{k: 1}, {k: 1e6}, {ratio: 1}, {ratio: 1e-9}, {ratio: 0.5, minK: 3}])('takes %o', (keep) => {
    expect(() => checkKeep('f', keep)).not.toThrow();
  });

  it('takes an option that is undefined as one that is not there', () => {
    expect(() => checkKeep('f', {k: undefined, ratio: 0.5, minK: undefined} as never)).not.toThrow();
    expect(() => checkKeep('f', {k: 2, ratio: undefined, minK: undefined} as never)).not.toThrow();
  });

  it.each([0, -1, 2.5, Number.NaN, Number.POSITIVE_INFINITY, '3' as never])('refuses k = %o', (k) => {
    expect(() => checkKeep('f', {k})).toThrow(
      new RangeError(`f: k must be an integer >= 1, got ${typeof k === 'string' ? `'${k}'` : k}.`),
    );
  });

  it.each([0, -0.5, 1.01, Number.NaN, Number.POSITIVE_INFINITY])('refuses ratio = %o', (ratio) => {
    expect(() => checkKeep('f', {ratio})).toThrow(new RangeError(`f: ratio must be in (0, 1], got ${ratio}.`));
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses minK = %o', (minK) => {
    expect(() => checkKeep('f', {ratio: 0.5, minK})).toThrow(
      new RangeError(`f: minK must be an integer >= 1, got ${minK}.`),
    );
  });

  it.each([
    [{}, '{}'],
    [{minK: 3}, '{minK}'],
    [{k: 3, ratio: 0.5}, '{k, ratio}'],
    [undefined, 'undefined'],
    [null, 'null'],
  ])('refuses %o, which has neither k nor ratio, or both', (keep, shown) => {
    expect(() => checkKeep('f', keep as never)).toThrow(
      new TypeError(`f: options must have either k or ratio, got ${shown}. Pass {k: 32} or {ratio: 0.75}.`),
    );
  });

  it('refuses what is no record', () => {
    expect(() => checkKeep('f', 3 as never)).toThrow(
      new TypeError('f: options must be a record, got 3. Pass {k: 3}, a number of rows, or {ratio: 0.5}, a share.'),
    );
  });

  it('refuses a minimum for a fixed count', () => {
    expect(() => checkKeep('f', {k: 3, minK: 2} as never)).toThrow(
      new TypeError('f: minK must go with ratio, got {k, minK}. A fixed k needs no minimum.'),
    );
  });
});

describe('keptOf', () => {
  it.each<[Keep, number, number]>([
    [{k: 3}, 10, 3],
    [{k: 3}, 2, 2],
    [{k: 1}, 1, 1],
    [{ratio: 0.5}, 4, 2],
    [{ratio: 0.5}, 5, 3], // round(2.5) = 3
    [{ratio: 0.7}, 5, 4], // round(3.5) = 4
    [{ratio: 0.75}, 512, 384],
    [{ratio: 1}, 7, 7],
    [{ratio: 0.01}, 10, 1], // never none
    [{ratio: 0.1, minK: 3}, 10, 3],
    [{ratio: 0.9, minK: 3}, 10, 9],
    [{ratio: 0.1, minK: 30}, 10, 10],
  ])('keeps of %o, given %i rows, %i', (keep, batchSize, kept) => {
    expect(keptOf(keep, batchSize)).toBe(kept);
  });

  it('rounds a share in the given way, and keeps at least one', () => {
    expect([7, 1].map((rows) => keptOf({ratio: 0.5, round: Math.floor}, rows))).toEqual([3, 1]);
    expect(keptOf({ratio: 0.29, round: wholePart}, 100)).toBe(29);
  });

  it('takes an option that is undefined as one that is not there', () => {
    expect(keptOf({k: undefined, ratio: 0.5} as never, 4)).toBe(2);
  });
});
