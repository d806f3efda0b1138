import {describe, expect, it} from 'vitest';
import {isMeasured, isPictured} from '../../../../examples/mnist/experiment/schedule';

const stepsWhere = (due: (step: number, steps: number) => boolean, steps: number) =>
  Array.from({length: steps}, (_, step) => step + 1).filter((step) => due(step, steps));

describe('isMeasured', () => {
  it('is true at even intervals and at the last step', () => {
    expect(stepsWhere(isMeasured, 600).slice(0, 3)).toEqual([30, 60, 90]);
    expect(stepsWhere(isMeasured, 600)).toContain(300);
    expect(stepsWhere(isMeasured, 601).at(-1)).toBe(601);
    expect(stepsWhere(isMeasured, 5)).toEqual([1, 2, 3, 4, 5]);
    expect(stepsWhere(isMeasured, 1)).toEqual([1]);
  });

  it.each([
    [240, 10],
    [600, 20],
    [2500, 60],
    [30_000, 60],
  ])('in %i steps is true %i times', (steps, count) => {
    expect(stepsWhere(isMeasured, steps)).toHaveLength(count);
  });
});

describe('isPictured', () => {
  it('is true at the first and the last step', () => {
    expect(stepsWhere(isPictured, 30_000).slice(0, 3)).toEqual([1, 500, 1000]);
    expect(stepsWhere(isPictured, 601).at(-1)).toBe(601);
  });

  it('is never true more than 61 times', () => {
    for (const steps of [59, 60, 61, 119, 120, 121, 599, 600, 601, 12_345]) {
      expect(stepsWhere(isPictured, steps).length).toBeLessThanOrEqual(61);
    }
  });
});
