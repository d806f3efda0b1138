import fc from 'fast-check';
import {miningLedger} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {mostMined} from '../../../../../examples/mnist/web/worker/mostMined';

describe('mostMined', () => {
  it('puts what was mined most often first, and of equals what was harder', () => {
    const ledger = miningLedger(5);
    ledger.record([0, 1, 2, 3], [0.1, 0.2, 0.3, 0.4], [0, 1, 1, 1]);
    ledger.record([0, 1, 2, 3], [0.1, 0.2, 0.3, 0.4], [0, 1, 1, 0]);
    expect(mostMined(ledger, 3)).toEqual([2, 1, 3]);
    expect(mostMined(ledger, 1)).toEqual([2]);
  });

  it('leaves out what was never mined', () => {
    const ledger = miningLedger(3);
    expect(mostMined(ledger, 2)).toEqual([]);
    ledger.record([1], [0.5], [0]);
    expect(mostMined(ledger, 2)).toEqual([]);
  });

  it('finds what sorting all rows would', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({mined: fc.nat(3), meanLoss: fc.double({min: 0, max: 1, noNaN: true})}), {maxLength: 40}),
        fc.integer({min: 1, max: 10}),
        (rows, count) => {
          const ledger = {
            size: rows.length,
            seen: () => 3,
            mined: (row: number) => rows[row]?.mined ?? 0,
            meanLoss: (row: number) => rows[row]?.meanLoss ?? 0,
          };
          const sorted = rows
            .map((_, row) => row)
            .filter((row) => ledger.mined(row) > 0)
            .sort((a, b) => ledger.mined(b) - ledger.mined(a) || ledger.meanLoss(b) - ledger.meanLoss(a) || a - b);
          expect(mostMined(ledger, count)).toEqual(sorted.slice(0, count));
        },
      ),
    );
  });
});
