import type {MiningLedger} from 'ohem-tfjs';

/** The figures read from a ledger. */
export type MinedCounts = Pick<MiningLedger, 'size' | 'seen' | 'mined' | 'meanLoss'>;

/**
 * At most `count` rows that were mined most often, most first; of those mined as often, the ones
 * with the larger mean loss.
 */
export function mostMined(ledger: MinedCounts, count: number): number[] {
  // One pass over rows of which few are ever among the first: cheaper than sorting all of them.
  const found: number[] = [];
  const comesBefore = (a: number, b: number) =>
    ledger.mined(a) - ledger.mined(b) || ledger.meanLoss(a) - ledger.meanLoss(b);
  for (let row = 0; row < ledger.size; row++) {
    if (ledger.mined(row) === 0) continue;
    const last = found[count - 1];
    if (last !== undefined && comesBefore(row, last) <= 0) continue;
    let place = Math.min(found.length, count - 1);
    while (place > 0 && comesBefore(row, found[place - 1] as number) > 0) {
      found[place] = found[place - 1] as number;
      place--;
    }
    found[place] = row;
  }
  return found;
}
