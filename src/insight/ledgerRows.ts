import {checkCount, rangeError, typeError} from '../checks';
import {fromBase64, toBase64} from './base64';

/** What a ledger knows of each row of a data set. */
export interface LedgerRows {
  size: number;
  seen(row: number): number;
  mined(row: number): number;
  /** NaN before the row is seen. */
  lastLoss(row: number): number;
  /** Mean of the finite losses; NaN if there is none. */
  meanLoss(row: number): number;
  enter(row: number, loss: number, isMined: boolean): void;
  toJSON(): MiningLedgerJSON;
}

/**
 * A ledger as plain JSON. `rows` holds 20 bytes a row in base64, so that each number comes back to the bit: how often it was seen, mined, and not
 * finite, as uint32, its last and its mean loss, as float32, all little-endian.
 */
export interface MiningLedgerJSON {
  format: 'ohem-tfjs mining ledger';
  version: 1;
  size: number;
  rows: string;
}

const FORMAT = 'ohem-tfjs mining ledger';

/** The numbers of a row lie side by side: a visit touches memory in one place, where a list for each of them would cost five misses of the cache. */
const [SEEN, MINED, NON_FINITE, LAST, MEAN, WIDTH] = [0, 1, 2, 3, 4, 5];

/** Rows that have not been seen. */
export function emptyRows(size: number): LedgerRows {
  return rowsIn(new ArrayBuffer(4 * WIDTH * size));
}

/** Takes rows out of what their `toJSON` gave; refuses everything else. */
export function rowsFromJSON(where: string, value: unknown): LedgerRows {
  const {format, version, size = Number.NaN, rows} = (value ?? {}) as Partial<MiningLedgerJSON>;
  if (format !== FORMAT || version !== 1) {
    throw typeError(where, 'value', 'be what toJSON() gave', value, 'Parse a text first: JSON.parse(text).');
  }
  checkCount(where, 'size', size);
  const bytes = typeof rows === 'string' ? fromBase64(rows) : undefined;
  const length = 4 * WIDTH * size;
  if (bytes?.length !== length) {
    const got = bytes === undefined ? 'none' : `${bytes.length}`;
    throw rangeError(where, 'rows', `hold ${length} bytes in base64`, got, 'It was cut short or changed.');
  }
  const counts = new Uint32Array(bytes.buffer);
  for (let row = 0; row < size; row++) {
    const [seen = 0, mined = 0, nonFinite = 0] = counts.subarray(WIDTH * row, WIDTH * row + LAST);
    if (Math.max(mined, nonFinite) > seen) {
      throw rangeError(where, 'rows', 'count no row mined more often than seen', `such a row at ${row}`);
    }
  }
  return rowsIn(bytes.buffer);
}

function rowsIn(buffer: ArrayBuffer): LedgerRows {
  const [counts, losses] = [new Uint32Array(buffer), new Float32Array(buffer)];
  const size = counts.length / WIDTH;
  const count = (row: number, which: number) => counts[WIDTH * row + which] as number;
  const loss = (row: number, which: number) => losses[WIDTH * row + which] as number;
  const finite = (row: number) => count(row, SEEN) - count(row, NON_FINITE);
  return {
    size,
    seen: (row) => count(row, SEEN),
    mined: (row) => count(row, MINED),
    lastLoss: (row) => (count(row, SEEN) > 0 ? loss(row, LAST) : Number.NaN),
    meanLoss: (row) => (finite(row) > 0 ? loss(row, MEAN) : Number.NaN),
    enter(row, given, isMined) {
      // As it is kept: what is too large for float32 is infinite.
      const last = Math.fround(given);
      const isUsable = Number.isFinite(last);
      const at = WIDTH * row;
      counts[at + SEEN] = count(row, SEEN) + 1;
      counts[at + MINED] = count(row, MINED) + (isMined ? 1 : 0);
      counts[at + NON_FINITE] = count(row, NON_FINITE) + (isUsable ? 0 : 1);
      losses[at + LAST] = last;
      if (isUsable) losses[at + MEAN] = loss(row, MEAN) + (last - loss(row, MEAN)) / finite(row);
    },
    toJSON: () => ({format: FORMAT, version: 1, size, rows: toBase64(new Uint8Array(buffer))}),
  };
}
