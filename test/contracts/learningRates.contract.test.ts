/** @file What every learning rate promises. */
import type {LearningRateSchedule} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {LEARNING_RATES} from '../support/learningRates';

const SHARES = Array.from({length: 1001}, (_, i) => i / 1000);

describe.each(LEARNING_RATES)('$member($options)', ({member, rate, largest, first, last, jumps = []}) => {
  const ratesOf = (shares: readonly number[]) => shares.map((progress) => rate({progress}));

  it('is a finite number from 0 to its largest one at every share of a run', () => {
    for (const value of ratesOf(SHARES)) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(largest * (1 + 1e-12));
    }
    expect(Math.max(...ratesOf(SHARES))).toBeCloseTo(largest, 12);
  });

  it('begins at its first rate and ends at its last one, where it stays', () => {
    expect(rate({progress: 0})).toBeCloseTo(first, 12);
    expect(rate({progress: 1})).toBeCloseTo(last, 12);
    expect(rate({progress: 1.5})).toBe(rate({progress: 1}));
  });

  it('moves without a jump but where it says so', () => {
    const rates = ratesOf(SHARES);
    const jumped = SHARES.filter(
      (_, i) => i > 0 && Math.abs((rates[i] as number) - (rates[i - 1] as number)) > largest / 20,
    );
    expect(jumped.filter((share) => !jumps.includes(share))).toEqual([]);
  });

  it('is pure, and depends on nothing but progress', () => {
    const asTrainersCall: LearningRateSchedule = rate;
    const at = (step: number, epoch: number) => asTrainersCall(Object.freeze({step, epoch, progress: 0.4}));
    expect(at(1, 0)).toBe(at(400, 9));
    const ordered = ratesOf(SHARES);
    expect(ratesOf([...SHARES].reverse()).reverse()).toEqual(ordered);
  });

  it.each([undefined, Number.NaN, -0.1, '0.5', Number.POSITIVE_INFINITY])('refuses progress %s by name', (progress) => {
    const message = `${member}: progress must be a finite number >= 0, got ${typeof progress === 'string' ? `'${progress}'` : progress}.`;
    expect(() => rate({progress} as never)).toThrow(new RangeError(message));
    expect(() => rate(undefined as never)).toThrow(`${member}: progress must be a finite number >= 0, got undefined.`);
  });
});
