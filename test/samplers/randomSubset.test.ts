import fc from 'fast-check';
import {randomSubset} from 'ohem-tfjs/samplers';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../support/property';

type Options = Parameters<typeof randomSubset>[0];

/** The rows of the first epochs of a run. */
function epochsOf(options: Options, size: number, epochs: number, seed: number | string = 0): number[][] {
  const sampler = randomSubset(options);
  const scores = {losses: new Float32Array(size).fill(Number.NaN)};
  let state = sampler.init(size);
  return Array.from({length: epochs}, (_, epoch) => {
    const chosen = sampler.choose(state, {epoch, epochs, seed, scores});
    state = sampler.next(state, {epoch, chosen, scores});
    return Array.from(chosen.rows);
  });
}

describe('randomSubset', () => {
  it('has max(1, round(ratio · N)) rows, from the first epoch on', () => {
    const sizeOf = (ratio: number, size: number) => epochsOf({ratio}, size, 1)[0]?.length;
    expect([sizeOf(0.1, 25), sizeOf(0.5, 7), sizeOf(0.001, 10), sizeOf(1, 9)]).toEqual([3, 4, 1, 9]);
  });

  it('reaches all rows before any comes again, and none twice in an epoch', () => {
    const property = fc.property(
      fc.double({min: 0.01, max: 1, noNaN: true}),
      fc.integer({min: 1, max: 60}),
      fc.nat(99),
      (ratio, size, seed) => {
        const times = new Array<number>(size).fill(0);
        for (const rows of epochsOf({ratio}, size, 25, seed)) {
          expect(new Set(rows).size).toBe(rows.length);
          for (const row of rows) times[row] = (times[row] as number) + 1;
          // Never more than a turn ahead.
          expect(Math.max(...times) - Math.min(...times)).toBeLessThanOrEqual(1);
        }
      },
    );
    fc.assert(property, RUNS);
  });

  it('drops no tail: the last rows of a pass begin an epoch that ends with rows of the next one', () => {
    const [first, second, third] = epochsOf({ratio: 0.4}, 10, 3) as [number[], number[], number[]];
    const left = Array.from({length: 10}, (_, row) => row).filter((row) => ![...first, ...second].includes(row));
    expect(left).toHaveLength(2);
    expect(third).toEqual(expect.arrayContaining(left));
    expect(third).toHaveLength(4);
  });

  it('draws every subset equally often', () => {
    const times = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const rows = String(epochsOf({ratio: 0.5}, 4, 1, seed)[0]);
      times.set(rows, (times.get(rows) ?? 0) + 1);
    }
    expect(times.size).toBe(6);
    // 5 standard deviations of a share of a sixth.
    for (const count of times.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(6000 * (5 / 36)));
  });

  it('goes by its own seed, or else by that of the run', () => {
    const of = (options: Partial<Options>, seed: number | string) =>
      String(epochsOf({ratio: 0.5, ...options}, 30, 3, seed));
    expect(of({}, 1)).not.toBe(of({}, 2));
    expect(of({seed: 5}, 1)).toBe(of({seed: 5}, 2));
    expect(of({seed: 5}, 1)).not.toBe(of({seed: 'b'}, 1));
    expect(of({seed: 1}, 7)).toBe(of({}, 1));
  });

  it('has the share of each class, or the next whole number, and as many rows in all', () => {
    const property = fc.property(
      fc.array(fc.integer({min: -2, max: 3}), {minLength: 1, maxLength: 60}),
      fc.double({min: 0.01, max: 1, noNaN: true}),
      fc.nat(99),
      (stratify, ratio, seed) => {
        const size = stratify.length;
        const count = Math.max(1, Math.round(ratio * size));
        const times = new Array<number>(size).fill(0);
        for (const rows of epochsOf({ratio, stratify}, size, 8, seed)) {
          expect(rows).toHaveLength(count);
          for (const row of rows) times[row] = (times[row] as number) + 1;
          for (const label of new Set(stratify)) {
            const members = stratify.flatMap((other, row) => (other === label ? [row] : []));
            const share = (count * members.length) / size;
            const taken = members.filter((row) => rows.includes(row)).length;
            expect(taken).toBeGreaterThanOrEqual(Math.floor(share + 1e-9));
            expect(taken).toBeLessThanOrEqual(Math.ceil(share - 1e-9));
            const ofMembers = members.map((row) => times[row] as number);
            expect(Math.max(...ofMembers) - Math.min(...ofMembers)).toBeLessThanOrEqual(1);
          }
        }
      },
    );
    fc.assert(property, RUNS);
  });

  it('reaches a class that is too rare for a whole row in each epoch', () => {
    const stratify = Array.from({length: 100}, (_, row) => (row === 42 ? 1 : 0));
    const epochs = epochsOf({ratio: 0.1, stratify}, 100, 400);
    const times = epochs.filter((rows) => rows.includes(42)).length;
    // A tenth of 400, within 5 standard deviations.
    expect(Math.abs(times - 40)).toBeLessThan(5 * Math.sqrt(400 * 0.1 * 0.9));
  });

  it('has all rows at the end with delta, which is no turn', () => {
    const sampler = randomSubset({ratio: 0.5, delta: 0.5});
    const scores = {losses: new Float32Array(8)};
    const state = {size: 8, taken: Uint8Array.of(1, 0, 0, 1, 0, 0, 1, 1)};
    const chosen = sampler.choose(state, {epoch: 3, epochs: 6, seed: 1, scores});
    expect(chosen).toEqual({rows: Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7)});
    expect(sampler.next(state, {epoch: 3, chosen, scores})).toEqual(state);
  });

  it('refuses options that are none', () => {
    for (const ratio of [0, 1.2, Number.NaN, undefined]) {
      expect(() => randomSubset({ratio: ratio as number})).toThrow(
        new RangeError(`randomSubset: ratio must be in (0, 1], got ${ratio}.`),
      );
    }
    const remedy = 'Pass one label for each row, such as await labels.data().';
    expect(() => randomSubset({ratio: 0.5, stratify: 'ab' as never})).toThrow(
      new TypeError(`randomSubset: stratify must be a list of numbers, got ab. ${remedy}`),
    );
    expect(() => randomSubset({ratio: 0.5, stratify: [0, Number.NaN]})).toThrow(
      new RangeError(`randomSubset: stratify[1] must be a finite number, got NaN. ${remedy}`),
    );
    expect(() => randomSubset({ratio: 0.5, stratify: [0, 1]}).init(3)).toThrow(
      new RangeError('randomSubset: stratify must have 3 labels, one for each row, got 2.'),
    );
    expect(() => randomSubset({ratio: 0.5, seed: Number.NaN})).toThrow(
      new TypeError('randomSubset: seed must be a finite number or a text, got NaN.'),
    );
  });
});
