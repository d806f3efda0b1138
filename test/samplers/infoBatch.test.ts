import fc from 'fast-check';
import {infoBatch} from 'ohem-tfjs/samplers';
import {describe, expect, it} from 'vitest';
import {RUNS, randomFrom} from '../support/property';

type Options = Parameters<typeof infoBatch>[0];

function chosenOf(
  losses: ArrayLike<number>,
  options?: Options,
  at: {epoch?: number; epochs?: number; seed?: number | string} = {},
) {
  const sampler = infoBatch(options);
  const scores = {losses: Float32Array.from(losses)};
  return sampler.choose(sampler.init(losses.length), {epoch: 1, epochs: 20, seed: 0, ...at, scores});
}

const SIX = [0.1, 0.2, 0.3, 0.4, 2, 3];

describe('infoBatch', () => {
  it('keeps half of the rows below the mean, with twice the weight', () => {
    const {rows, weights} = chosenOf(SIX);
    expect(rows).toHaveLength(4);
    expect(Array.from(rows.slice(2))).toEqual([4, 5]);
    expect(Array.from(weights as Float32Array)).toEqual([2, 2, 1, 1]);
  });

  it('has all rows, with no weight, in the first epoch: no loss is doubled', () => {
    const chosen = chosenOf(new Array(10).fill(Number.NaN), {}, {epoch: 0});
    expect(chosen).toEqual({rows: Int32Array.from({length: 10}, (_, row) => row)});
  });

  it('calls no row easy if all losses are equal, whatever their number and value', () => {
    const property = fc.property(
      fc.float({min: Math.fround(-1e30), max: Math.fround(1e30), noNaN: true}),
      fc.integer({min: 1, max: 300}),
      (loss, size) => {
        expect(chosenOf(new Array(size).fill(loss)).rows).toHaveLength(size);
      },
    );
    fc.assert(property, RUNS);
  });

  it('leaves out rows in the first ⌊delta · epochs⌋ epochs, and none after', () => {
    const pruned = (delta: number, epochs: number) =>
      Array.from({length: epochs}, (_, epoch) => chosenOf(SIX, {delta}, {epoch, epochs}).rows.length < 6);
    const count = (flags: boolean[]) => flags.filter(Boolean).length;
    expect(count(pruned(0.875, 200))).toBe(175);
    expect(pruned(0.875, 200).lastIndexOf(true)).toBe(174);
    expect(count(pruned(0.875, 10))).toBe(8);
    // 0.29 · 100 is 28.999999999999996.
    expect(count(pruned(0.29, 100))).toBe(29);
    expect(count(pruned(1, 7))).toBe(7);
  });

  it('draws the easy rows anew for each epoch and each seed', () => {
    const losses = Array.from({length: 60}, (_, row) => (row < 50 ? 0.1 : 9));
    const rowsAt = (epoch: number, seed: number | string) => chosenOf(losses, {}, {epoch, seed}).rows.join();
    expect(new Set([rowsAt(1, 0), rowsAt(2, 0), rowsAt(1, 1), rowsAt(1, 'a')])).toHaveProperty('size', 4);
    expect(rowsAt(1, '0')).toBe(rowsAt(1, 0));
  });

  it('keeps each easy row equally often', () => {
    const draws = 4000;
    const times = new Array(6).fill(0);
    for (let seed = 0; seed < draws; seed++) for (const row of chosenOf(SIX, {}, {seed}).rows) times[row]++;
    // 5 standard deviations of a share of ½.
    const most = 5 * Math.sqrt(draws / 4);
    for (let row = 0; row < 4; row++) expect(Math.abs(times[row] - draws / 2)).toBeLessThan(most);
    expect(times.slice(4)).toEqual([draws, draws]);
  });

  it('takes the share `quantile` of the smallest losses as easy, ties in the order of the rows', () => {
    const options = {ratio: 0.5, threshold: {quantile: 0.5}} as const;
    const always = (losses: number[]) => {
      const all = losses.map((_, row) => row);
      const found = Array.from({length: 60}, (_, seed) => Array.from(chosenOf(losses, options, {seed}).rows));
      return all.filter((row) => found.every((rows) => rows.includes(row)));
    };
    expect(always([5, 1, 4, 2, 3, 6, 8, 7])).toEqual([0, 5, 6, 7]);
    expect(always([0, 0, 0, 0, 0, 0, 0, 0])).toEqual([4, 5, 6, 7]);
  });

  it('leaves out the share d of the data with {ratio: d / q, threshold: {quantile: q}}', () => {
    const random = randomFrom(4);
    const losses = Array.from({length: 1000}, () => random() ** 4);
    for (const [d, q] of [
      [0.3, 0.6],
      [0.4, 0.8],
      [0.1, 0.9],
    ] as const) {
      const {rows} = chosenOf(losses, {ratio: d / q, threshold: {quantile: q}});
      expect(Math.abs(1000 - rows.length - 1000 * d)).toBeLessThanOrEqual(1);
    }
  });

  it('has weights whose sum is the number of rows, for any losses', () => {
    const losses = fc.array(fc.float({min: 0, max: 9, noNaN: true}), {minLength: 1, maxLength: 80});
    const property = fc.property(losses, fc.double({min: 0.05, max: 0.95, noNaN: true}), (values, ratio) => {
      const {rows, weights} = chosenOf(values, {ratio});
      const sum = weights ? weights.reduce((total, weight) => total + weight, 0) : rows.length;
      expect(sum).toBeCloseTo(values.length, 3);
    });
    fc.assert(property, RUNS);
  });

  it('refuses options that are none', () => {
    for (const ratio of [0, 1, 1.2, Number.NaN, '0.5']) {
      const got = typeof ratio === 'string' ? `'${ratio}'` : ratio;
      expect(() => infoBatch({ratio: ratio as number})).toThrow(
        new RangeError(`infoBatch: ratio must be in (0, 1), got ${got}.`),
      );
    }
    for (const delta of [-1, 0, 1.5]) {
      expect(() => infoBatch({delta})).toThrow(new RangeError(`infoBatch: delta must be in (0, 1], got ${delta}.`));
    }
    for (const quantile of [0, 1]) {
      expect(() => infoBatch({threshold: {quantile}})).toThrow(
        new RangeError(`infoBatch: threshold.quantile must be in (0, 1), got ${quantile}.`),
      );
    }
    expect(() => infoBatch({threshold: 0.5 as never})).toThrow(
      new RangeError("infoBatch: threshold must be 'mean' or {quantile}, got 0.5."),
    );
    expect(() => infoBatch({threshold: {percentile: 50} as never})).toThrow(
      new TypeError('infoBatch: options must have the names quantile, got percentile.'),
    );
  });
});

describe('The gradient by infoBatch', () => {
  const SIZE = 30;
  const random = randomFrom(11);
  const xs = Array.from({length: SIZE}, () => [random() - 0.5, random() * 3, 1]);
  const ys = xs.map(([a = 0, b = 0]) => 2 * a - b + 0.3 * (random() - 0.5));
  const WEIGHTS = [0.4, -0.9, 0.1];
  const errors = xs.map(
    (x, row) => x.reduce((sum, value, i) => sum + value * (WEIGHTS[i] as number), 0) - (ys[row] as number),
  );
  const losses = errors.map((error) => error ** 2);
  /** The gradient of a row's squared error by the three weights of a linear model. */
  const gradients = xs.map((x, row) => x.map((value) => 2 * (errors[row] as number) * value));
  const full = WEIGHTS.map((_, i) => gradients.reduce((sum, gradient) => sum + (gradient[i] as number), 0));
  const DRAWS = 20_000;

  /** By how many standard errors the mean over all draws is off, for the weight that is worst. */
  function deviation(options: Options, isWeighted: boolean): number {
    const [sums, squares] = [new Float64Array(3), new Float64Array(3)];
    for (let seed = 0; seed < DRAWS; seed++) {
      const {rows, weights} = chosenOf(losses, options, {seed});
      for (let i = 0; i < 3; i++) {
        let estimate = 0;
        for (let place = 0; place < rows.length; place++) {
          const weight = isWeighted && weights ? (weights[place] as number) : 1;
          estimate += weight * (gradients[rows[place] as number]?.[i] as number);
        }
        sums[i] = (sums[i] as number) + estimate;
        squares[i] = (squares[i] as number) + estimate ** 2;
      }
    }
    const off = full.map((expected, i) => {
      const mean = (sums[i] as number) / DRAWS;
      const variance = (squares[i] as number) / DRAWS - mean ** 2;
      return Math.abs(mean - expected) / Math.sqrt(variance / DRAWS);
    });
    return Math.max(...off);
  }

  it.each<[Options]>([[{}], [{ratio: 0.9}], [{ratio: 0.4, threshold: {quantile: 0.8}}]])(
    'is that of all rows in the mean over 20,000 draws, within 4 standard errors: %o',
    (options) => {
      expect(deviation(options, true)).toBeLessThan(4);
    },
  );

  it('is not without the weights', () => {
    expect(deviation({}, false)).toBeGreaterThan(20);
  });
});
