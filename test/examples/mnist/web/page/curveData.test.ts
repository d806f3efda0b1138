import {describe, expect, it} from 'vitest';
import {accuracyColumns, lossColumns, stepExtent} from '../../../../../examples/mnist/web/page/curveData';

describe('lossColumns', () => {
  it('has a row for every step, and gaps where a run is behind', () => {
    expect(lossColumns([{selectedLoss: [0.5, 0.4, 0.3]}, {selectedLoss: [0.6]}])).toEqual([
      [1, 2, 3],
      [0.5, 0.4, 0.3],
      [0.6, null, null],
    ]);
  });

  it('is empty without runs, and before the first step', () => {
    expect(lossColumns([])).toEqual([[]]);
    expect(lossColumns([{selectedLoss: []}])).toEqual([[], []]);
  });
});

describe('accuracyColumns', () => {
  it('has a row for every step at which some run was measured', () => {
    const runs = [
      {
        testAccuracy: [
          {step: 0, accuracy: 0.1},
          {step: 6, accuracy: 0.4},
        ],
      },
      {
        testAccuracy: [
          {step: 0, accuracy: 0.1},
          {step: 3, accuracy: 0.2},
        ],
      },
    ];
    expect(accuracyColumns(runs)).toEqual([
      [0, 3, 6],
      [0.1, null, 0.4],
      [0.1, 0.2, null],
    ]);
  });
});

describe('stepExtent', () => {
  it('is a round number beyond the curves, and never beyond the last step', () => {
    expect([0, 20, 21, 101, 250].map((step) => stepExtent(step, 300))).toEqual([20, 20, 50, 200, 300]);
    expect(stepExtent(5, 8)).toBe(8);
    expect(stepExtent(15_000, 20_000)).toBe(20_000);
  });
});
