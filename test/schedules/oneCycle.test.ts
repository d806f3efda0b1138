import fc from 'fast-check';
import {oneCycle} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../support/property';

/** `OneCycleLR` of PyTorch with `anneal_strategy='cos'`, its phases in steps. */
function torchRate(
  step: number,
  {maxLr, totalSteps, pctStart, divFactor, finalDivFactor}: Record<string, number>,
): number {
  const [max, total] = [maxLr as number, totalSteps as number];
  const initial = max / (divFactor as number);
  const least = initial / (finalDivFactor as number);
  const upEnd = (pctStart as number) * total - 1;
  const anneal = (start: number, end: number, share: number) =>
    end + ((start - end) / 2) * (Math.cos(Math.PI * share) + 1);
  return step <= upEnd ? anneal(initial, max, step / upEnd) : anneal(max, least, (step - upEnd) / (total - 1 - upEnd));
}

describe('oneCycle', () => {
  it("is PyTorch's OneCycleLR with its defaults, the run reckoned from its first step to its last", () => {
    const totalSteps = 101;
    const settings = {maxLr: 0.1, totalSteps, pctStart: 0.3, divFactor: 25, finalDivFactor: 1e4};
    const upEnd = 0.3 * totalSteps - 1;
    const rate = oneCycle({max: 0.1, pctStart: upEnd / (totalSteps - 1)});
    for (let step = 0; step < totalSteps; step++) {
      expect(rate({progress: step / (totalSteps - 1)})).toBeCloseTo(torchRate(step, settings), 12);
    }
  });

  it('has 0.3, 25 and 1e4 if nothing else is said', () => {
    const rate = oneCycle({max: 1});
    expect(rate({progress: 0})).toBeCloseTo(1 / 25, 14);
    expect(rate({progress: 0.3})).toBe(1);
    expect(rate({progress: 1})).toBeCloseTo(1 / 25 / 1e4, 14);
  });

  it('rises, and then falls, whatever its options are', () => {
    const factor = fc.double({min: 1, max: 1e5, noNaN: true});
    const share = fc.double({min: 0, max: 1, noNaN: true});
    const property = fc.property(factor, share, factor, factor, (max, pctStart, divFactor, finalDiv) => {
      const rate = oneCycle({max, pctStart, divFactor, finalDiv});
      const all = Array.from({length: 101}, (_, i) => rate({progress: i / 100}));
      const peak = all.indexOf(Math.max(...all));
      for (const [i, value] of all.entries()) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(max * (1 + 1e-12));
        if (i === 0) continue;
        const step = value - (all[i - 1] as number);
        expect(i <= peak ? -step : step).toBeLessThanOrEqual(1e-12 * max);
      }
    });
    fc.assert(property, RUNS);
  });

  it('refuses shares in per cent and divisors that would raise the rate over its largest one', () => {
    expect(() => oneCycle({max: 1, pctStart: 30})).toThrow(
      new RangeError('oneCycle: pctStart must be in [0, 1], got 30.'),
    );
    expect(() => oneCycle({max: 1, divFactor: 0.5})).toThrow(
      new RangeError('oneCycle: divFactor must be a finite number >= 1, got 0.5.'),
    );
    expect(() => oneCycle({max: 1, finalDiv: 0})).toThrow(
      new RangeError('oneCycle: finalDiv must be a finite number >= 1, got 0.'),
    );
  });
});
