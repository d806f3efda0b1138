import {checkCount, rangeError, typeError} from '../checks';
import type {DynamicsOptions} from '../types';
import {fromBase64, toBase64} from './base64';
import {DYNAMICS_WIDTH, type LedgerDynamics, ledgerDynamics} from './ledgerDynamics';

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
  /** Undefined if the ledger keeps none. */
  dynamics: LedgerDynamics | undefined;
  /** What the dynamics are computed from. */
  dynamicsOptions: Required<DynamicsOptions> | undefined;
  toJSON(): MiningLedgerJSON;
}

/**
 * A ledger as plain JSON. `rows` holds 20 bytes a row in base64, so that each number comes back to the bit: how often it was seen, mined, and not
 * finite, as uint32, its last and its mean loss, as float32, all little-endian.
 *
 * Of a ledger that keeps dynamics the version is 2, and a row has 52 bytes: further how often it was observed, predicted
 * right, and forgotten, and whether it was right when it was observed last, as uint32; its mean margin, its mean
 * confidence with the sum of the squared deviations from it, and its mean error, as float32.
 */
export interface MiningLedgerJSON {
  format: 'ohem-tfjs mining ledger';
  version: 1 | 2;
  size: number;
  rows: string;
  /** With version 2: what the dynamics are computed from. */
  dynamics?: {fromLogits: boolean};
}

const FORMAT = 'ohem-tfjs mining ledger';

/** The numbers of a row lie side by side: a visit touches memory in one place, where a list for each of them would cost five misses of the cache. */
const [SEEN, MINED, NON_FINITE, LAST, MEAN, WIDTH] = [0, 1, 2, 3, 4, 5];

/** How many numbers a row has. */
const widthOf = (dynamics: object | undefined) => WIDTH + (dynamics ? DYNAMICS_WIDTH : 0);

/** Rows that have not been seen. */
export function emptyRows(size: number, dynamics: Required<DynamicsOptions> | undefined): LedgerRows {
  return rowsIn(new ArrayBuffer(4 * widthOf(dynamics) * size), dynamics);
}

/** Takes rows out of what their `toJSON` gave; refuses everything else. */
export function rowsFromJSON(where: string, value: unknown): LedgerRows {
  const {format, version, size = Number.NaN, rows, dynamics} = (value ?? {}) as Partial<MiningLedgerJSON>;
  const isKnown = version === 1 || (version === 2 && typeof dynamics?.fromLogits === 'boolean');
  if (format !== FORMAT || !isKnown) {
    throw typeError(where, 'value', 'be what toJSON() gave', value, 'Parse a text first: JSON.parse(text).');
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
      throw rangeError(where, 'rows', 'count no row mined more often than seen', `such a row at ${row}`);
    }
    if (read.dynamics?.isImpossible(row)) {
      const constraint = 'count no row right more often than observed, nor forgotten more often than right';
      throw rangeError(where, 'rows', constraint, `such a row at ${row}`);
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
      // As it is kept: what is too large for float32 is infinite.
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
