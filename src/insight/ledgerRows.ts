import {checkCount, rangeError, typeError} from '../checks';
import type {DynamicsOptions} from '../types';
import {fromBase64, toBase64} from './base64';
import {DYNAMICS_WIDTH, type LedgerDynamics, ledgerDynamics} from './ledgerDynamics';

/** The records of a ledger, one for each row of a data set. */
export interface LedgerRows {
  size: number;
  seen(row: number): number;
  mined(row: number): number;
  /** NaN before the row is seen. */
  lastLoss(row: number): number;
  /** Mean of the finite losses; NaN if there is none. */
  meanLoss(row: number): number;
  enter(row: number, loss: number, isMined: boolean): void;
  /** Undefined if the ledger keeps no dynamics. */
  dynamics: LedgerDynamics | undefined;
  /** Options from which the dynamics are computed. */
  dynamicsOptions: Required<DynamicsOptions> | undefined;
  toJSON(): MiningLedgerJSON;
}

/**
 * A ledger as plain JSON. `rows` holds 20 bytes per row in base64, so every number survives to the
 * bit: how often the row was seen, mined, and not finite, as uint32, and its last and mean loss, as
 * float32, all little-endian.
 *
 * With dynamics the version is 2 and a row has 52 bytes. The additional uint32 numbers are how
 * often it was observed, predicted right, and forgotten, and whether its last prediction was right.
 * The additional float32 numbers are its mean margin, its mean confidence with the sum of squared
 * deviations, and its mean error.
 */
export interface MiningLedgerJSON {
  format: 'ohem-tfjs mining ledger';
  version: 1 | 2;
  size: number;
  rows: string;
  /** Options of the dynamics; with version 2. */
  dynamics?: {fromLogits: boolean};
}

const FORMAT = 'ohem-tfjs mining ledger';

/** Offsets within a row. Interleaved, so that a visit touches one cache line instead of five. */
const [SEEN, MINED, NON_FINITE, LAST, MEAN, WIDTH] = [0, 1, 2, 3, 4, 5];

/** The number of values per row. */
const widthOf = (dynamics: object | undefined) => WIDTH + (dynamics ? DYNAMICS_WIDTH : 0);

/** Builds rows that have not been seen. */
export function emptyRows(size: number, dynamics: Required<DynamicsOptions> | undefined): LedgerRows {
  return rowsIn(new ArrayBuffer(4 * widthOf(dynamics) * size), dynamics);
}

/** Restores rows from the result of `toJSON`; rejects all other values. */
export function rowsFromJSON(where: string, value: unknown): LedgerRows {
  const {format, version, size = Number.NaN, rows, dynamics} = (value ?? {}) as Partial<MiningLedgerJSON>;
  const isKnown = version === 1 || (version === 2 && typeof dynamics?.fromLogits === 'boolean');
  if (format !== FORMAT || !isKnown) {
    throw typeError(where, 'value', 'be a result of toJSON()', value, 'Parse a text first: JSON.parse(text).');
  }
  checkCount(where, 'size', size);
  const bytes = typeof rows === 'string' ? fromBase64(rows) : undefined;
  const kept = version === 2 ? {fromLogits: dynamics?.fromLogits as boolean} : undefined;
  const length = 4 * widthOf(kept) * size;
  if (bytes?.length !== length) {
    const got = bytes === undefined ? 'none' : `${bytes.length}`;
    throw rangeError(where, 'rows', `hold ${length} bytes in base64`, got, 'It was cut short or changed.');
  }
  const read = rowsIn(bytes.buffer, kept);
  const counts = new Uint32Array(bytes.buffer);
  for (let row = 0; row < size; row++) {
    const at = widthOf(kept) * row;
    const [seen = 0, mined = 0, nonFinite = 0] = counts.subarray(at, at + LAST);
    if (Math.max(mined, nonFinite) > seen) {
      throw rangeError(where, 'rows', 'have mined <= seen', `more at row ${row}`);
    }
    if (read.dynamics?.isImpossible(row)) {
      const constraint = 'have right <= observed and forgotten <= right';
      throw rangeError(where, 'rows', constraint, `more at row ${row}`);
    }
  }
  return read;
}

function rowsIn(buffer: ArrayBuffer, dynamicsOptions: Required<DynamicsOptions> | undefined): LedgerRows {
  const width = widthOf(dynamicsOptions);
  const [counts, losses] = [new Uint32Array(buffer), new Float32Array(buffer)];
  const size = counts.length / width;
  const count = (row: number, which: number) => counts[width * row + which] as number;
  const loss = (row: number, which: number) => losses[width * row + which] as number;
  const finite = (row: number) => count(row, SEEN) - count(row, NON_FINITE);
  return {
    size,
    seen: (row) => count(row, SEEN),
    mined: (row) => count(row, MINED),
    lastLoss: (row) => (count(row, SEEN) > 0 ? loss(row, LAST) : Number.NaN),
    meanLoss: (row) => (finite(row) > 0 ? loss(row, MEAN) : Number.NaN),
    enter(row, given, isMined) {
      // Rounded as stored: a loss too large for float32 is infinite.
      const last = Math.fround(given);
      const isUsable = Number.isFinite(last);
      const at = width * row;
      counts[at + SEEN] = count(row, SEEN) + 1;
      counts[at + MINED] = count(row, MINED) + (isMined ? 1 : 0);
      counts[at + NON_FINITE] = count(row, NON_FINITE) + (isUsable ? 0 : 1);
      losses[at + LAST] = last;
      if (isUsable) losses[at + MEAN] = loss(row, MEAN) + (last - loss(row, MEAN)) / finite(row);
    },
    dynamics: dynamicsOptions && ledgerDynamics(buffer, width, WIDTH),
    dynamicsOptions,
    toJSON() {
      const rows = toBase64(new Uint8Array(buffer));
      if (!dynamicsOptions) return {format: FORMAT, version: 1, size, rows};
      return {format: FORMAT, version: 2, size, rows, dynamics: {...dynamicsOptions}};
    },
  };
}
