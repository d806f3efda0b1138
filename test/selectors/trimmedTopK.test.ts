import fc from 'fast-check';
import {trimmedTopK} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RUNS, randomFrom} from '../support/property';
import {keeps, keptRows, largestRows, lossRows, marks, selected, shareOf} from '../support/selections';

const TEN = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

describeOnBackends('trimmedTopK', () => {
  it('leaves out a count of the very largest, and keeps k after them', () => {
    expect(selected(trimmedTopK({k: 3, skip: 2}), TEN)).toEqual({indices: [7, 6, 5], weights: [1, 1, 1]});
  });

  it('leaves out a share of the very largest, and keeps a share of all after them', () => {
    expect(selected(trimmedTopK({ratio: 0.5, skip: 0.1}), TEN).indices).toEqual([8, 7, 6, 5, 4]);
    expect(selected(trimmedTopK({ratio: 1, skip: 0.25}), TEN).indices).toEqual([6, 5, 4, 3, 2, 1, 0]); // round(2.5) = 3
  });

  it('is topK where nothing is left out', () => {
    expect(selected(trimmedTopK({k: 3, skip: 0}), TEN)).toEqual({indices: [9, 8, 7], weights: [1, 1, 1]});
    expect(selected(trimmedTopK({k: 3, skip: 0.01}), TEN).indices).toEqual([9, 8, 7]);
  });

  it('never leaves out the last row that can be used', () => {
    expect(selected(trimmedTopK({k: 3, skip: 5}), [1, 2])).toEqual({indices: [0], weights: [1]});
    expect(
      keptRows(selected(trimmedTopK({k: 3, skip: 5}), TEN, {valid: marks([0, 0, 1, 1, 0, 0, 0, 0, 0, 0])})),
    ).toEqual([2]);
    expect(selected(trimmedTopK({k: 1, skip: 0.9}), [0.5])).toEqual({indices: [0], weights: [1]});
  });

  it('counts shares of the valid rows', () => {
    const valid = marks([1, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
    // 1 of the 4 is left out, 2 of the 4 are kept.
    expect(keptRows(selected(trimmedTopK({ratio: 0.5, skip: 0.25}), TEN, {valid}))).toEqual([2, 1]);
  });

  it('keeps what is left of the largest after the skip', () => {
    const skips = fc.constantFrom(0, 0.1, 0.25, 0.5, 0.9, 1, 2, 7, 40);
    const property = fc.property(lossRows, keeps, skips, fc.integer(), (losses, keep, skip, seed) => {
      const random = randomFrom(seed);
      const valid = losses.map(() => (random() < 0.8 ? 1 : 0));
      const validRows = valid.filter(Boolean).length;
      const all = largestRows(losses, {k: losses.length}, valid);
      const skipped = Math.min(skip < 1 ? Math.round(skip * validRows) : skip, Math.max(all.length - 1, 0));
      const count = 'k' in keep ? keep.k : shareOf(keep, validRows);
      const selection = selected(trimmedTopK({...keep, skip}), losses, {valid: marks(valid)});
      expect(keptRows(selection)).toEqual(all.slice(skipped, skipped + count));
    });
    fc.assert(property, RUNS);
  });

  it.each([undefined, -1, -0.5, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1'])(
    'refuses a skip of %s when it is built',
    (skip) => {
      expect(() => trimmedTopK({k: 1, skip: skip as number})).toThrow(
        new RangeError(`trimmedTopK: skip must be a ratio in [0, 1) or an integer >= 1, got ${skip}.`),
      );
    },
  );

  it('refuses what is no keep when it is built', () => {
    expect(() => trimmedTopK({skip: 1} as never)).toThrow(
      new TypeError('trimmedTopK: options must have either k or ratio, got {}. Pass {k: 32} or {ratio: 0.75}.'),
    );
  });
});
