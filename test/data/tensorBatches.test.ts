import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {rowsFrom, shuffledRows} from '../../src/data/tensorBatches';

describe('shuffledRows', () => {
  it('is always the same for a seed and an epoch', () => {
    expect([...shuffledRows(8, 1, 0)]).toEqual([...shuffledRows(8, 1, 0)]);
    expect([...shuffledRows(8, 'a', 3)]).toEqual([...shuffledRows(8, 'a', 3)]);
    // A resumed run continues in this order: it must not change from one version to the next.
    expect([...shuffledRows(8, 1, 0)]).toEqual([3, 0, 5, 1, 4, 2, 6, 7]);
  });

  it('is another order for another seed, and for another epoch', () => {
    const orders = [shuffledRows(20, 1, 0), shuffledRows(20, 1, 1), shuffledRows(20, 2, 0), shuffledRows(20, '', 0)];
    expect(new Set(orders.map(String)).size).toBe(4);
  });

  it('has every row once', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.oneof(fc.integer(), fc.string()), fc.nat(9), (count, seed, epoch) => {
        expect(shuffledRows(count, seed, epoch).sort()).toEqual(rowsFrom(0, count));
      }),
    );
  });

  it('puts every row in every place equally often', () => {
    const [rows, epochs] = [6, 6000];
    const counts = Array.from({length: rows * rows}, () => 0);
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const [place, row] of shuffledRows(rows, 'seed', epoch).entries())
        counts[place * rows + row] = (counts[place * rows + row] as number) + 1;
    }
    // χ² of a table of 36 counts with 25 degrees of freedom: over 52.6 once in 1000 times by
    // chance.
    const due = epochs / rows;
    expect(counts.reduce((sum, count) => sum + (count - due) ** 2 / due, 0)).toBeLessThan(52.6);
  });
});
