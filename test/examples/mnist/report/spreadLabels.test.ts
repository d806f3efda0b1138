import {describe, expect, it} from 'vitest';
import {spreadLabels} from '../../../../examples/mnist/report/spreadLabels';

describe('spreadLabels', () => {
  it('leaves labels where they are while they are far enough apart', () => {
    expect(spreadLabels([90, 10, 50], 16, 100)).toEqual([90, 10, 50]);
  });

  it('moves two that touch away from each other by as much', () => {
    expect(spreadLabels([50, 54], 16, 100)).toEqual([44, 60]);
  });

  it('keeps the order that equal wishes came in', () => {
    expect(spreadLabels([50, 50, 50], 10, 100)).toEqual([40, 50, 60]);
  });

  it('pushes a neighbour on that comes in the way', () => {
    expect(spreadLabels([50, 50, 62], 16, 200)).toEqual([38, 54, 70]);
  });

  it('stays within the panel', () => {
    expect(spreadLabels([0, 1, 2], 16, 100)).toEqual([0, 16, 32]);
    expect(spreadLabels([98, 99, 100], 16, 100)).toEqual([68, 84, 100]);
  });

  it('stands closer where there is not enough room', () => {
    expect(spreadLabels([5, 5, 5, 5, 5], 16, 20)).toEqual([0, 5, 10, 15, 20]);
  });

  it('has nothing to do without labels', () => {
    expect(spreadLabels([], 16, 100)).toEqual([]);
  });
});
