/** @file Encodes plain data so that JSON carries it without loss. */

import {typeError} from '../../checks';
import {fromBase64, toBase64} from '../../insight/base64';

/** The key that marks values JSON cannot represent: `{$ohem: 'NaN'}`. */
const MARK = '$ohem';

/**
 * Typed arrays are encoded as `{$ohem: 'Float32Array', base64}`, a third of the size of decimal
 * text.
 */
const TYPED = [Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Uint8Array, Uint16Array, Uint32Array];

type Typed = InstanceType<(typeof TYPED)[number]>;

/**
 * Copies plain data into a form that survives JSON. Only NaN, infinities, −0, undefined and typed
 * arrays look different.
 *
 * @throws TypeError naming the place of a value that JSON would drop or change: a function, an
 *   instance of a class, a cycle.
 */
export function toJson(where: string, argument: string, value: unknown): unknown {
  return encoded(value, {where, path: argument, around: []});
}

/**
 * Checks that data are plain, without encoding typed arrays.
 *
 * @throws TypeError as {@link toJson}.
 */
export function checkPlain(where: string, argument: string, value: unknown): void {
  encoded(value, {where, path: argument, around: [], isCheck: true});
}

/** Restores plain data from the form that {@link toJson} returns. */
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
  /** The lists and records that contain the value. */
  around: readonly object[];
  /** Whether the result is discarded, so that typed arrays need no encoding. */
  isCheck?: boolean;
}

function encoded(value: unknown, position: Position): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (value === undefined) return {[MARK]: 'undefined'};
  if (typeof value === 'number') return isCarried(value) ? value : {[MARK]: value === 0 ? '-0' : String(value)};
  if (typeof value !== 'object') throw notPlain(position, typeof value === 'function' ? value : `a ${typeof value}`);
  const {path, around} = position;
  if (around.includes(value)) throw notPlain(position, 'a cycle');
  const inside = {...position, around: [...around, value]};
  if (Array.isArray(value)) {
    // Fast path: weights of a model are long lists of numbers.
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

/** Whether JSON represents a number exactly. */
function isCarried(value: unknown): boolean {
  return Number.isFinite(value) && !Object.is(value, -0);
}

/** Finds the class of a typed array, of any realm; undefined for a subclass or anything else. */
function typeOf(value: object): (typeof TYPED)[number] | undefined {
  return ArrayBuffer.isView(value) ? TYPED.find(({name}) => name === value.constructor.name) : undefined;
}

const bytesOf = ({buffer, byteOffset, byteLength}: Typed) => new Uint8Array(buffer, byteOffset, byteLength);

/** Restores a typed array. A truncated one has fewer numbers, which its owner checks. */
function typedFrom(name: string, base64: string): Typed {
  const type = TYPED.find((known) => known.name === name) ?? Uint8Array;
  const {buffer = new ArrayBuffer(0)} = fromBase64(base64) ?? {};
  return new type(buffer, 0, Math.floor(buffer.byteLength / type.BYTES_PER_ELEMENT));
}

/** Whether an object is a record, of any realm, and not an instance of a class. */
export function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function mapped(entries: [string, unknown][], f: (value: unknown, name: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(entries.map(([name, value]) => [name, f(value, name)]));
}

function notPlain({where, path}: Position, got: unknown): TypeError {
  const constraint = 'be plain data: numbers, texts, booleans, null, lists, typed arrays and records';
  return typeError(where, path, constraint, got, 'Other values could not be restored.');
}
