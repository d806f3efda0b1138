import {rangeError, typeError} from '../checks';

/** A batch as a ledger enters it, with a number for each of its rows. */
export interface LedgerBatch {
  /** The row of the data set that it is. */
  rows: ArrayLike<number>;
  losses: ArrayLike<number>;
  /** Over 0 where it was backpropagated. */
  kept: ArrayLike<number>;
}

/** Checks a batch for a ledger of `size` rows. */
export function checkBatch(where: string, size: number, {rows, losses, kept}: LedgerBatch): void {
  checkNumbers(where, 'rows', rows);
  for (const [argument, values] of Object.entries({losses, kept})) {
    checkNumbers(where, argument, values);
    if (values.length !== rows.length) {
      throw typeError(where, argument, `hold one number for each of the ${rows.length} rows`, `${values.length}`);
    }
  }
  for (let place = 0; place < rows.length; place++) {
    const row = rows[place] as number;
    if (!(Number.isInteger(row) && row >= 0 && row < size)) {
      throw rangeError(where, 'rows', `hold integers from 0 to ${size - 1}`, `${row} at position ${place}`);
    }
  }
}

/** Checks that something is a list of numbers, by what it is, not by what it holds. */
export function checkNumbers(where: string, argument: string, values: ArrayLike<number> | undefined): void {
  if (typeof values !== 'object' || typeof values?.length !== 'number') {
    throw typeError(where, argument, 'be an array of numbers or a typed array', values);
  }
}
