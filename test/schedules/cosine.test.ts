import fc from 'fast-check';
import {cosine} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../support/property';

const SHARES = Array.from({length: 101}, (_, i) => i / 100);
const rates = (options: Parameters<typeof cosine>[0]) => SHARES.map((progress) => cosine(options)({progress}));

describe('cosine', () => {
  it('falls along half a cosine', () => {
    const expected = SHARES.map((p) => 0.01 + 0.5 * (0.3 - 0.01) * (1 + Math.cos(Math.PI * p)));
    for (const [i, rate] of rates({from: 0.3, to: 0.01}).entries()) expect(rate).toBeCloseTo(expected[i] as number, 14);
  });

  it('falls as the cosine of Keras does, CosineDecay(initial_learning_rate, decay_steps, alpha)', () => {
    const [initial, decaySteps, alpha] = [0.4, 50, 0.05];
    for (let step = 0; step <= decaySteps; step++) {
      const decayed = (1 - alpha) * 0.5 * (1 + Math.cos((Math.PI * step) / decaySteps)) + alpha;
      const rate = cosine({from: initial, to: alpha * initial})({progress: step / decaySteps});
      expect(rate).toBeCloseTo(initial * decayed, 14);
    }
  });

  it('rises in a straight line from 0 first, and then falls over what is left', () => {
    const rate = cosine({from: 2, to: 1, warmup: 0.2});
    expect([0, 0.05, 0.1, 0.2].map((progress) => rate({progress}))).toEqual([0, 0.5, 1, 2]);
    expect([0.4, 0.6, 0.8, 1].map((progress) => rate({progress}))).toEqual(
      [1 + 0.5 * (1 + Math.SQRT1_2), 1.5, 1 + 0.5 * (1 - Math.SQRT1_2), 1].map((value) => expect.closeTo(value, 14)),
    );
  });

  it('moves from its first rate to its last one way only, whatever they are', () => {
    const rate = fc.double({min: 1e-12, max: 1e6, noNaN: true});
    const warmup = fc.double({min: 0, max: 0.99, noNaN: true});
    const property = fc.property(rate, rate, warmup, (from, to, share) => {
      const all = rates({from, to, warmup: share});
      expect(all.at(-1)).toBe(to);
      expect(Math.min(...all)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...all)).toBeLessThanOrEqual(Math.max(from, to) * (1 + 1e-12));
      const falling = all.slice(Math.ceil(share * 100));
      const slack = 1e-12 * Math.max(from, to);
      for (const [i, value] of falling.slice(1).entries()) {
        const step = value - (falling[i] as number);
        expect(from > to ? step : -step).toBeLessThanOrEqual(slack);
      }
    });
    fc.assert(property, RUNS);
  });

  it('refuses what is no rate and no share of a run', () => {
    expect(() => cosine({from: -1})).toThrow(new RangeError('cosine: from must be a finite number > 0, got -1.'));
    expect(() => cosine({from: 1, warmup: 500})).toThrow(new RangeError('cosine: warmup must be in [0, 1), got 500.'));
  });
});
