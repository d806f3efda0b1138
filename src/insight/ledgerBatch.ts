import {rangeError, typeError} from '../checks';

/** Which rows of a batch were backpropagated, as numbers: a selection that has been read. */
export interface MinedRows {
  /** Places in the batch, not rows of the data set. */
  indices: ArrayLike<number>;
  /** What each of them counts; 0 = not kept. Default 1 each. */
  weights?: ArrayLike<number>;
}

/** A batch as a ledger enters it. */
export interface LedgerBatch {
  /** The row of the data set that each row of the batch is. */
  rows: ArrayLike<number>;
  losses: ArrayLike<number>;
  kept: MinedRows;
}

/** Checks a batch for a ledger of `size` rows, and marks with 1 the rows of it that were backpropagated. */
export function minedMarks(where: string, size: number, {rows, losses, kept}: LedgerBatch): Uint8Array {
  checkNumbers(where, 'rows', rows);
  checkNumbers(where, 'losses', losses);
  checkNumbers(where, 'indices', kept?.indices);
  const {indices, weights} = kept;
  if (losses.length !== rows.length) {
    throw typeError(where, 'losses', `hold one loss for each of the ${rows.length} rows`, `${losses.length}`);
  }
  checkPlaces(where, 'rows', rows, size);
  checkPlaces(where, 'indices', indices, rows.length);
  if (weights !== undefined) {
    checkNumbers(where, 'weights', weights);
    if (weights.length !== indices.length) {
      const constraint = `hold one weight for each of the ${indices.length} indices`;
      throw typeError(where, 'weights', constraint, `${weights.length}`);
    }
  }
  const marks = new Uint8Array(rows.length);
  for (let place = 0; place < indices.length; place++) {
    if ((weights?.[place] ?? 1) > 0) marks[indices[place] as number] = 1;
  }
  return marks;
}

/** Checks that something is a list of numbers, by what it is, not by what it holds. */
export function checkNumbers(where: string, argument: string, values: ArrayLike<number> | undefined): void {
  if (typeof values !== 'object' || typeof values?.length !== 'number') {
    throw typeError(where, argument, 'be an array of numbers or a typed array', values);
  }
}

function checkPlaces(where: string, argument: string, values: ArrayLike<number>, size: number): void {
  for (let place = 0; place < values.length; place++) {
    const value = values[place] as number;
    if (!(Number.isInteger(value) && value >= 0 && value < size)) {
      throw rangeError(where, argument, `hold integers from 0 to ${size - 1}`, `${value} at position ${place}`);
    }
  }
}
