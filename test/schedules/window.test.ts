import fc from 'fast-check';
import {window} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../support/property';

const ratios = (options: Parameters<typeof window>[0], steps: number) =>
  Array.from({length: steps}, (_, step) => window(options).ratio(null, {step}));

describe('window', () => {
  it('keeps half of the rows within it, on every second step, and all outside', () => {
    // Steps 3, 5 and 7 are the fourth, sixth and eighth: interrupted.
    expect(ratios({start: 3, end: 9}, 11)).toEqual([1, 1, 1, 1, 0.5, 1, 0.5, 1, 0.5, 1, 1]);
  });

  it('interrupts every n-th step', () => {
    expect(ratios({start: 0, end: 7, interrupt: 3, ratio: 0.2}, 8)).toEqual([0.2, 0.2, 1, 0.2, 0.2, 1, 0.2, 1]);
  });

  it('interrupts none with 0', () => {
    expect(ratios({start: 1, end: 4, interrupt: 0, ratio: 0.2}, 6)).toEqual([1, 0.2, 0.2, 0.2, 1, 1]);
  });

  it("is Composer's: within start ≤ elapsed < end, but where (batch + 1) % interrupt is 0", () => {
    const property = fc.property(
      fc.nat(10),
      fc.integer({min: 1, max: 20}),
      fc.constantFrom(0, 2, 3, 5),
      fc.constantFrom(0.1, 0.5, 1),
      (start, length, interrupt, ratio) => {
        const end = start + length;
        ratios({start, end, interrupt, ratio}, 40).forEach((got, batch) => {
          const active = start <= batch && batch < end && (interrupt === 0 || (batch + 1) % interrupt !== 0);
          expect(got).toBe(active ? ratio : 1);
        });
      },
    );
    fc.assert(property, RUNS);
  });

  it('refuses a window that is none', () => {
    for (const start of [-1, 0.5, Number.NaN]) {
      expect(() => window({start, end: 9})).toThrow(
        new RangeError(`window: start must be an integer >= 0, got ${start}.`),
      );
    }
    for (const end of [3, 2, 4.5, Number.POSITIVE_INFINITY]) {
      expect(() => window({start: 3, end})).toThrow(
        new RangeError(`window: end must be an integer > start, 3, got ${end}.`),
      );
    }
    for (const interrupt of [1, -2, 2.5, Number.NaN]) {
      expect(() => window({start: 3, end: 9, interrupt})).toThrow(
        new RangeError(
          `window: interrupt must be an integer >= 2, or 0, got ${interrupt}. Pass 0 for a window without interruptions.`,
        ),
      );
    }
    expect(() => window({start: 3, end: 9, ratio: 0})).toThrow(
      new RangeError('window: ratio must be in (0, 1], got 0.'),
    );
    expect(() => window({start: 3, end: 9, keep: 0.5} as never)).toThrow(
      new TypeError('window: options must have the names start, end, interrupt, ratio, got keep.'),
    );
  });
});
