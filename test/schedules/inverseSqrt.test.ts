import fc from 'fast-check';
import {inverseSqrt} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../support/property';

describe('inverseSqrt', () => {
  it('is the schedule of the Transformer, d^-½ · min(step^-½, step · warmupSteps^-1.5), with its peak at `from`', () => {
    const [model, warmupSteps, steps] = [512, 40, 1000];
    const ofPaper = (step: number) => model ** -0.5 * Math.min(step ** -0.5, step * warmupSteps ** -1.5);
    const rate = inverseSqrt({from: ofPaper(warmupSteps), warmup: warmupSteps / steps});
    for (let step = 1; step <= steps; step++) expect(rate({progress: step / steps})).toBeCloseTo(ofPaper(step), 14);
  });

  it('rises to `from` over a tenth of the run if nothing else is said', () => {
    const rate = inverseSqrt({from: 1});
    expect([0, 0.05, 0.1, 0.4].map((progress) => rate({progress}))).toEqual([0, 0.5, 1, 0.5]);
  });

  it('is never over `from`, and ends at from · √warmup', () => {
    const number = fc.double({min: 1e-9, max: 1e6, noNaN: true});
    const share = fc.double({min: 1e-6, max: 0.999, noNaN: true});
    const property = fc.property(number, share, fc.double({min: 0, max: 1, noNaN: true}), (from, warmup, progress) => {
      const rate = inverseSqrt({from, warmup});
      expect(rate({progress})).toBeGreaterThanOrEqual(0);
      expect(rate({progress})).toBeLessThanOrEqual(from);
      expect(rate({progress: 1}) / (from * Math.sqrt(warmup))).toBeCloseTo(1, 12);
      expect(rate({progress: warmup})).toBe(from);
    });
    fc.assert(property, RUNS);
  });

  it('refuses a warm-up in steps, and none', () => {
    for (const warmup of [0, 1, 4000, Number.NaN]) {
      const message = `inverseSqrt: warmup must be in (0, 1), got ${warmup}.`;
      expect(() => inverseSqrt({from: 1, warmup})).toThrow(new RangeError(message));
    }
  });
});
