import type {Tensor1D} from '@tensorflow/tfjs-core';
import {checkCount, rangeError} from '../checks';
import type {Ledger} from '../types';
import {hardness, largestFirst} from './largestFirst';
import {checkBatch, type LedgerBatch, type ObservedStep, readStep} from './ledgerBatch';
import {emptyRows, type LedgerRows, type MiningLedgerJSON, rowsFromJSON} from './ledgerRows';

const NAME = 'miningLedger';

/** What training has seen of each row of a data set, on the host. */
export interface MiningLedger extends Ledger {
  /** Rows of the data set. */
  readonly size: number;
  /**
   * Enters a batch: for each of its rows the row of the data set that it is, its loss, and a number over 0 if it was backpropagated. All of it is
   * checked before anything is entered.
   */
  record(rows: ArrayLike<number>, losses: ArrayLike<number>, kept: ArrayLike<number>): void;
  /** Enters the report of a step, by one read; `rows` as numbers or `int32[B]`. The report stays yours, and may be disposed while this goes on. */
  observe(rows: ArrayLike<number> | Tensor1D, report: ObservedStep): Promise<void>;
  /** How often a row was in a batch. */
  seen(row: number): number;
  /** In how many of these batches it was backpropagated. */
  mined(row: number): number;
  /** Its loss when it was seen last; NaN before that. */
  lastLoss(row: number): number;
  /** Mean of its finite losses; NaN if there is none. */
  meanLoss(row: number): number;
  /** At most `n` rows with the largest last loss, largest first; losses that were not finite come before all. */
  hardest(n: number): Int32Array;
  /** All rows that were seen and never backpropagated. */
  neverMined(): Int32Array;
  /** At most `n` rows that look like label errors: mined again and again, never learned. Most suspicious first. */
  suspects(n: number): Int32Array;
  /** Plain JSON, for `miningLedger.fromJSON`; called by `JSON.stringify`. */
  toJSON(): MiningLedgerJSON;
}

/** Builds ledgers. */
export interface MiningLedgerFactory {
  (size: number): MiningLedger;
  /** Builds the ledger that `toJSON` was called on, to the bit. */
  fromJSON(value: unknown): MiningLedger;
}

/**
 * Builds a ledger of a data set: how often each row was seen and mined, its last loss and its mean loss.
 *
 *     suspicion = mined / seen · (mean loss − smallest mean loss of all rows)
 *
 * Feed it with the reports of a step, and ask `suspects` after some passes over the data: rows that were always hard and never learned
 * are where labels are wrong. The mean goes over all passes on purpose: a network that is large enough learns wrong labels by heart in the end, so
 * that late losses, and `hardest`, no longer tell them from others. A selector that leaves out the very largest losses never mines what
 * is most suspicious: there ask `hardest`. Rows count with the losses that they were ranked by, so sample and class weights count too. Takes 20
 * bytes of main memory a row; ties go to the lower row.
 *
 * @param size  rows of the data set, an integer ≥ 1.
 * @returns a {@link MiningLedger}; `miningLedger.fromJSON(value)` builds one from what `toJSON()` gave.
 * @throws RangeError if `size` is not an integer ≥ 1 (when it is built), if rows are out of range or `n` is not an integer ≥ 1 (when it is
 *   called); TypeError for lists that do not match, a disposed report, or JSON of something else. Nothing has changed then.
 *
 * @example
 * const ledger = miningLedger(4);
 * ledger.record([0, 1, 2], [0.1, 2.5, 0.7], [0, 1, 1]);
 * ledger.record([1, 2, 3], [2.4, 0.2, 0.1], [1, 0, 0]);
 * ledger.suspects(2);      // Int32Array [1, 2]
 * ledger.neverMined();     // Int32Array [0, 3]
 * ledger.meanLoss(1);      // 2.45
 *
 * @see Swayamdipta et al., Dataset Cartography, EMNLP 2020, §2 and §5 (arXiv:2009.10795): mean confidence over the passes, and label errors
 *   among the examples where it is lowest
 */
export const miningLedger: MiningLedgerFactory = /* @__PURE__ */ Object.assign(
  function miningLedger(size: number): MiningLedger {
    checkCount(NAME, 'size', size);
    return ledgerOf(emptyRows(size));
  },
  {fromJSON: (value: unknown) => ledgerOf(rowsFromJSON(`${NAME}.fromJSON`, value))},
);

function ledgerOf(ledgerRows: LedgerRows): MiningLedger {
  const {size, seen, mined, lastLoss, meanLoss, enter, toJSON} = ledgerRows;
  const enterBatch = (where: string, batch: LedgerBatch) => {
    checkBatch(where, size, batch);
    const {rows, losses, kept} = batch;
    for (let place = 0; place < rows.length; place++) {
      enter(rows[place] as number, losses[place] as number, (kept[place] as number) > 0);
    }
  };
  const checked = (name: string, row: number) => {
    if (!(Number.isInteger(row) && row >= 0 && row < size)) {
      throw rangeError(`${NAME}.${name}`, 'row', `be an integer from 0 to ${size - 1}`, row);
    }
    return row;
  };
  const largest = (name: string, n: number, keyOf: (row: number) => number) => {
    checkCount(`${NAME}.${name}`, 'n', n);
    return largestFirst(size, n, keyOf);
  };

  return {
    size,
    record: (rows, losses, kept) => enterBatch(`${NAME}.record`, {rows, losses, kept}),
    async observe(rows, report) {
      const where = `${NAME}.observe`;
      enterBatch(where, await readStep(where, size, rows, report));
    },
    seen: (row) => seen(checked('seen', row)),
    mined: (row) => mined(checked('mined', row)),
    lastLoss: (row) => lastLoss(checked('lastLoss', row)),
    meanLoss: (row) => meanLoss(checked('meanLoss', row)),
    hardest: (n) => largest('hardest', n, (row) => (seen(row) > 0 ? hardness(lastLoss(row)) : Number.NaN)),
    neverMined() {
      const rows: number[] = [];
      for (let row = 0; row < size; row++) if (seen(row) > 0 && mined(row) === 0) rows.push(row);
      return Int32Array.from(rows);
    },
    suspects(n) {
      let lowest = Number.POSITIVE_INFINITY;
      for (let row = 0; row < size; row++) if (meanLoss(row) < lowest) lowest = meanLoss(row);
      return largest('suspects', n, (row) =>
        mined(row) > 0 ? (mined(row) / seen(row)) * (meanLoss(row) - lowest) : Number.NaN,
      );
    },
    toJSON,
  };
}
