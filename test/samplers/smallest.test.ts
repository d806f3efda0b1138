import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {markSmallest} from '../../src/samplers/smallest';
import {RUNS} from '../support/property';

const marked = (losses: readonly number[], count: number) => {
  const marks = markSmallest(Float32Array.from(losses), count);
  return losses.flatMap((_, row) => (marks[row] === 1 ? [row] : []));
};

/** The same by sorting. */
function bySorting(losses: readonly number[], count: number): number[] {
  const finite = losses.flatMap((loss, row) => (Number.isFinite(loss) ? [row] : []));
  const sorted = finite.sort((a, b) => (losses[a] as number) - (losses[b] as number) || a - b);
  return sorted.slice(0, count).sort((a, b) => a - b);
}

describe('markSmallest', () => {
  it('marks the rows with the smallest losses, ties in the order of the rows', () => {
    expect(marked([3, 1, 2, 1, 1], 2)).toEqual([1, 3]);
    expect(marked([3, 1, 2, 1, 1], 4)).toEqual([1, 2, 3, 4]);
    expect(marked([3, 1, 2], 0)).toEqual([]);
  });

  it('takes −0 and 0 for equal, and knows negative losses', () => {
    expect(marked([0, -0, 0, -1], 2)).toEqual([0, 3]);
    expect(marked([-1, -3, -2, 5], 2)).toEqual([1, 2]);
  });

  it('never marks what is not finite', () => {
    expect(marked([Number.NaN, 1, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 2], 5)).toEqual([1, 4]);
    expect(marked([Number.NaN], 1)).toEqual([]);
  });

  it('marks what sorting would find, for all float32 numbers', () => {
    const loss = fc.oneof(
      fc.float(),
      fc.constantFrom(0, -0, 1, 1, 2 ** -149, -(2 ** -149)),
      fc.float({min: 1, max: 2}),
    );
    const property = fc.property(fc.array(loss, {maxLength: 60}), fc.nat(70), (losses, count) => {
      expect(marked(losses, count)).toEqual(bySorting(losses, count));
    });
    fc.assert(property, {...RUNS, numRuns: 400});
  });

  it('reads a view of a larger buffer at its place', () => {
    const view = new Float32Array(Float32Array.of(-9, -9, 4, 1).buffer, 8);
    expect(Array.from(markSmallest(view, 1))).toEqual([0, 1]);
  });
});
