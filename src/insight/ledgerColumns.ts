import {checkCount, rangeError, typeError} from '../checks';
import {fromBase64, toBase64} from './base64';

/** What a ledger knows, a place for each row of the data set: 20 bytes a row. */
export interface LedgerColumns {
  seen: Uint32Array;
  mined: Uint32Array;
  /** How often its loss was not finite. */
  nonFinite: Uint32Array;
  lastLoss: Float32Array;
  /** Mean of the finite losses. */
  meanLoss: Float32Array;
}

/** A ledger as plain JSON; its numbers are the bytes of typed arrays (little-endian) in base64, so that each comes back to the bit. */
export interface MiningLedgerJSON {
  format: 'ohem-tfjs mining ledger';
  version: 1;
  size: number;
  seen: string;
  mined: string;
  nonFinite: string;
  lastLoss: string;
  meanLoss: string;
}

const FORMAT = 'ohem-tfjs mining ledger';
const COUNTS = ['seen', 'mined', 'nonFinite'] as const;
const LOSSES = ['lastLoss', 'meanLoss'] as const;

/** Columns of a ledger that has seen nothing. */
export function emptyColumns(size: number): LedgerColumns {
  return {
    seen: new Uint32Array(size),
    mined: new Uint32Array(size),
    nonFinite: new Uint32Array(size),
    lastLoss: new Float32Array(size),
    meanLoss: new Float32Array(size),
  };
}

export function columnsToJSON(columns: LedgerColumns): MiningLedgerJSON {
  const texts = Object.fromEntries([...COUNTS, ...LOSSES].map((name) => [name, textOf(columns[name])]));
  return {format: FORMAT, version: 1, size: columns.seen.length, ...(texts as Record<keyof LedgerColumns, string>)};
}

/** Takes columns out of what `columnsToJSON` gave; refuses everything else before anything is made of it. */
export function columnsFromJSON(where: string, value: unknown): LedgerColumns {
  const saved = (value ?? {}) as Partial<MiningLedgerJSON>;
  if (saved.format !== FORMAT || saved.version !== 1) {
    throw typeError(where, 'value', 'be what toJSON() gave', value, 'Parse a text first: JSON.parse(text).');
  }
  const {size} = saved as MiningLedgerJSON;
  checkCount(where, 'size', size);
  const bytesOf = (name: keyof LedgerColumns) => bytesIn(where, name, saved[name], 4 * size);
  const counts = COUNTS.map((name) => new Uint32Array(bytesOf(name)));
  const losses = LOSSES.map((name) => new Float32Array(bytesOf(name)));
  const [seen, mined, nonFinite] = counts as [Uint32Array, Uint32Array, Uint32Array];
  const [lastLoss, meanLoss] = losses as [Float32Array, Float32Array];
  const wrong = seen.findIndex((times, row) => Math.max(mined[row] as number, nonFinite[row] as number) > times);
  if (wrong >= 0) throw rangeError(where, 'seen', 'be no less than mined and nonFinite', `less at row ${wrong}`);
  return {seen, mined, nonFinite, lastLoss, meanLoss};
}

function textOf({buffer, byteOffset, byteLength}: Uint32Array | Float32Array): string {
  return toBase64(new Uint8Array(buffer, byteOffset, byteLength));
}

function bytesIn(where: string, name: string, text: unknown, length: number): ArrayBuffer {
  const bytes = typeof text === 'string' ? fromBase64(text) : undefined;
  if (bytes?.length !== length) {
    const got = bytes === undefined ? 'none' : `${bytes.length}`;
    throw rangeError(where, name, `hold ${length} bytes in base64`, got, 'It was cut short or changed.');
  }
  return bytes.buffer;
}
