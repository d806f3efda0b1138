import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {bestAccuracy} from '../../../../../examples/mnist/web/page/bestAccuracy';
import {RUNS} from '../../../../support/property';

const measured = (accuracies: readonly number[]) => accuracies.map((accuracy, step) => ({step, accuracy}));

describe('bestAccuracy', () => {
  it('is the highest of all, the earliest of equal ones', () => {
    expect(bestAccuracy(measured([0.1, 0.9, 0.7, 0.9]))).toEqual({step: 1, accuracy: 0.9});
    expect(bestAccuracy([])).toBeUndefined();
  });

  it('is passed by none, and reached by none before it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({min: 0, max: 20}), {minLength: 1}), (accuracies) => {
        const best = bestAccuracy(measured(accuracies)) as {step: number; accuracy: number};
        expect(best.accuracy).toBe(Math.max(...accuracies));
        expect(best.step).toBe(accuracies.indexOf(best.accuracy));
      }),
      RUNS,
    );
  });
});
