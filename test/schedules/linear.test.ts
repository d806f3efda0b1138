import fc from 'fast-check';
import {linear} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../support/property';

const ratios = (options: Parameters<typeof linear>[0], steps: number[]) =>
  steps.map((step) => linear(options).ratio(null, {step}));
const share = fc.double({min: 1e-6, max: 1, noNaN: true});

describe('linear', () => {
  it('goes from one share to the other and stays there', () => {
    expect(ratios({from: 1, to: 0.5, steps: 4}, [0, 1, 2, 3, 4, 5, 1000])).toEqual([
      1, 0.875, 0.75, 0.625, 0.5, 0.5, 0.5,
    ]);
    expect(ratios({from: 0.25, to: 0.75, steps: 2}, [0, 1, 2])).toEqual([0.25, 0.5, 0.75]);
  });

  it('keeps as many pixels as DeepLab: (p · r + (1 − r)) · n with r = min(1, step / steps)', () => {
    const [p, n, steps] = [0.2, 1000, 500];
    for (const step of [0, 100, 250, 400, 500, 9000]) {
      const r = Math.min(1, step / steps);
      const [ratio] = ratios({from: 1, to: p, steps}, [step]);
      expect((ratio as number) * n).toBeCloseTo((p * r + (1 - r)) * n, 9);
    }
  });

  it('moves one way only and never over its ends', () => {
    const property = fc.property(share, share, fc.integer({min: 1, max: 50}), (from, to, steps) => {
      const all = ratios(
        {from, to, steps},
        Array.from({length: steps + 3}, (_, step) => step),
      );
      expect([all[0], all[steps], all[steps + 2]]).toEqual([from, to, to]);
      const ordered = [...all].sort((a, b) => (from < to ? a - b : b - a));
      expect(all).toEqual(ordered);
    });
    fc.assert(property, RUNS);
  });

  it('refuses shares that are none and steps that cannot be counted', () => {
    for (const from of [0, 1.5, Number.NaN]) {
      expect(() => linear({from, to: 0.5, steps: 9})).toThrow(
        new RangeError(`linear: from must be in (0, 1], got ${from}.`),
      );
    }
    expect(() => linear({from: 1, to: 0, steps: 9})).toThrow(new RangeError('linear: to must be in (0, 1], got 0.'));
    for (const steps of [0, -1, 1.5, Number.NaN]) {
      expect(() => linear({from: 1, to: 0.5, steps})).toThrow(
        new RangeError(`linear: steps must be an integer >= 1, got ${steps}.`),
      );
    }
    expect(() => linear({from: 1, to: 0.5, steps: 9, epochs: 3} as never)).toThrow(
      new TypeError('linear: options must have the names from, to, steps, got epochs.'),
    );
  });
});
