/** @file Plain data in a form that JSON carries without loss. */

import {typeError} from '../../checks';
import {fromBase64, toBase64} from '../../insight/base64';

/** The key of what JSON has no form for: `{$ohem: 'NaN'}`. */
const MARK = '$ohem';

/** The typed arrays that JSON carries as `{$ohem: 'Float32Array', base64}`: a row of numbers in text takes thrice that. */
const TYPED = [Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Uint8Array, Uint16Array, Uint32Array];

type Typed = InstanceType<(typeof TYPED)[number]>;

/**
 * Copies plain data into a form that survives JSON. It looks the same, but for NaN, infinities, −0,
 * undefined and typed arrays.
 *
 * @throws TypeError naming the place of a value that is not plain, which JSON would drop or change: a
 *   function, an instance of a class, a cycle.
 */
export function toJson(where: string, argument: string, value: unknown): unknown {
  return encoded(value, {where, path: argument, around: []});
}

/**
 * Checks that data are plain, without copying typed arrays.
 *
 * @throws TypeError as {@link toJson}.
 */
export function checkPlain(where: string, argument: string, value: unknown): void {
  encoded(value, {where, path: argument, around: [], isCheck: true});
}

/** Restores plain data from that form. */
export function fromJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(fromJson);
  const {
    [MARK]: mark,
    entries,
    base64,
  } = value as {
    [MARK]?: string;
    entries?: [string, unknown][];
    base64?: string;
  };
  if (mark === undefined) return mapped(Object.entries(value), fromJson);
  if (base64 !== undefined) return typedFrom(mark, base64);
  if (mark === 'record') return mapped(entries ?? [], fromJson);
  return mark === 'undefined' ? undefined : Number(mark);
}

interface Position {
  where: string;
  path: string;
  /** The lists and records in which the value is. */
  around: readonly object[];
  /** Whether the form is not used, so that typed arrays need none. */
  isCheck?: boolean;
}

function encoded(value: unknown, position: Position): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (value === undefined) return {[MARK]: 'undefined'};
  if (typeof value === 'number') return isCarried(value) ? value : {[MARK]: value === 0 ? '-0' : String(value)};
  if (typeof value !== 'object') throw notPlain(position, typeof value === 'function' ? value : `a ${typeof value}`);
  const {path, around} = position;
  if (around.includes(value)) throw notPlain(position, 'what it is in itself');
  const inside = {...position, around: [...around, value]};
  if (Array.isArray(value)) {
    // Weights of a model come as long lists.
    if (value.every(isCarried)) return Array.from(value);
    return Array.from(value, (item, i) => encoded(item, {...inside, path: `${path}[${i}]`}));
  }
  const typed = typeOf(value);
  if (typed && position.isCheck) return null;
  if (typed) return {[MARK]: typed.name, base64: toBase64(bytesOf(value as Typed))};
  if (!isRecord(value)) throw notPlain(position, `a ${value.constructor?.name}`);
  const record = mapped(Object.entries(value), (item, name) => encoded(item, {...inside, path: `${path}.${name}`}));
  return MARK in record ? {[MARK]: 'record', entries: Object.entries(record)} : record;
}

/** Whether JSON has a form for a number. */
function isCarried(value: unknown): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}

/** The class of a typed array, also of another realm; undefined for anything else, and for a subclass. */
function typeOf(value: object): (typeof TYPED)[number] | undefined {
  return ArrayBuffer.isView(value) ? TYPED.find(({name}) => name === value.constructor.name) : undefined;
}

const bytesOf = ({buffer, byteOffset, byteLength}: Typed) => new Uint8Array(buffer, byteOffset, byteLength);

/** Restores a typed array. One that was cut short has fewer numbers, which is for its owner to notice. */
function typedFrom(name: string, base64: string): Typed {
  const type = TYPED.find((known) => known.name === name) ?? Uint8Array;
  const {buffer = new ArrayBuffer(0)} = fromBase64(base64) ?? {};
  return new type(buffer, 0, Math.floor(buffer.byteLength / type.BYTES_PER_ELEMENT));
}

/** Whether an object is a record, also one of another realm, and not an instance of a class. */
function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function mapped(entries: [string, unknown][], f: (value: unknown, name: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(entries.map(([name, value]) => [name, f(value, name)]));
}

function notPlain({where, path}: Position, got: unknown): TypeError {
  const constraint = 'be plain data: numbers, texts, booleans, null, lists, typed arrays and records';
  return typeError(where, path, constraint, got, 'Nothing else could be restored.');
}
