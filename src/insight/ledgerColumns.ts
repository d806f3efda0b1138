import {checkCount, rangeError, typeError} from '../checks';

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
  const texts = Object.fromEntries([...COUNTS, ...LOSSES].map((name) => [name, toBase64(columns[name])]));
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
  const bytesOf = (name: keyof LedgerColumns) => fromBase64(where, name, saved[name], 4 * size);
  const counts = COUNTS.map((name) => new Uint32Array(bytesOf(name)));
  const losses = LOSSES.map((name) => new Float32Array(bytesOf(name)));
  const [seen, mined, nonFinite] = counts as [Uint32Array, Uint32Array, Uint32Array];
  const [lastLoss, meanLoss] = losses as [Float32Array, Float32Array];
  const wrong = seen.findIndex((times, row) => Math.max(mined[row] as number, nonFinite[row] as number) > times);
  if (wrong >= 0) throw rangeError(where, 'seen', 'be no less than mined and nonFinite', `less at row ${wrong}`);
  return {seen, mined, nonFinite, lastLoss, meanLoss};
}

/** Bytes that are turned into characters at a time: an argument each. */
const CHUNK = 0x8000;

function toBase64({buffer, byteOffset, byteLength}: Uint32Array | Float32Array): string {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  let binary = '';
  for (let start = 0; start < bytes.length; start += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  }
  return btoa(binary);
}

function fromBase64(where: string, name: string, text: unknown, length: number): ArrayBuffer {
  const binary = decoded(text);
  if (binary?.length !== length) {
    const got = binary === undefined ? 'none' : `${binary.length}`;
    throw rangeError(where, name, `hold ${length} bytes in base64`, got, 'It was cut short or changed.');
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0)).buffer;
}

function decoded(text: unknown): string | undefined {
  try {
    return typeof text === 'string' ? atob(text) : undefined;
  } catch {
    return undefined;
  }
}
