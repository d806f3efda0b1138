/**
 * @file Builds every error text: `<function>: <argument> must <constraint>, got <value>. <remedy>`
 */

import {env, getBackend, Tensor} from '@tensorflow/tfjs-core';
import {valuesToCheck} from './engine';

/** Builds the error for a value out of range. */
export function rangeError(where: string, argument: string, constraint: string, got: unknown, remedy = ''): RangeError {
  return new RangeError(sentence(where, argument, constraint, got, remedy));
}

/** Builds the error for a value of the wrong kind or shape. */
export function typeError(where: string, argument: string, constraint: string, got: unknown, remedy = ''): TypeError {
  return new TypeError(sentence(where, argument, constraint, got, remedy));
}

function sentence(where: string, argument: string, constraint: string, got: unknown, remedy: string): string {
  return `${where}: ${argument} must ${constraint}, got ${shown(got)}.${remedy === '' ? '' : ` ${remedy}`}`;
}

/** Formats a shape for errors: `[512, 10]`, with `?` for an open size. */
export function shapeText(shape: readonly (number | null)[]): string {
  return shown(shape);
}

/** Number of entries of a list or a record that an error shows. */
const SHOWN = 8;

/** Length of a text beyond which an error describes nested lists instead. */
const LONG = 60;

function shown(value: unknown): string {
  if (value instanceof Tensor) return `a tensor ${value.dtype}[${value.shape.join(', ')}]`;
  if (Array.isArray(value)) {
    const items = `[${few(value.map((item) => (item === null ? '?' : shown(item))))}]`;
    return Array.isArray(value[0]) && items.length > LONG ? `a list of ${value.length} lists` : items;
  }
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}`;
  if (typeof value === 'function') return 'a function';
  if (value !== null && typeof value === 'object') return `{${few(Object.keys(value))}}`;
  return String(value);
}

function few(items: string[]): string {
  return (items.length > SHOWN ? [...items.slice(0, SHOWN), '…'] : items).join(', ');
}

/**
 * Refuses unknown options: a misspelt name would otherwise silently become a default.
 *
 * @param remedies  what to do instead of passing some unknown names.
 */
export function checkOptionNames(
  where: string,
  options: object | undefined,
  known: readonly string[],
  argument = 'options',
  remedies: Record<string, string> = {},
): void {
  const isRecord = typeof options === 'object' && options !== null && !Array.isArray(options);
  if (options !== undefined && (!isRecord || options instanceof Tensor)) {
    const isData = options instanceof Tensor || Array.isArray(options);
    const remedy = isData ? 'Call it with options first: it returns the function that takes the tensors.' : '';
    throw typeError(where, argument, 'be a record', textShown(options), remedy);
  }
  const unknown = Object.keys(options ?? {}).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const nearest = remedies[unknown] ?? didYouMean(unknown, known);
  const names = nearest === '' || known.length <= SHOWN ? `the names ${few([...known])}` : 'known names';
  throw typeError(where, argument, `have ${names}`, unknown, nearest);
}

/** Options that may each be null. */
export type Nullable<T> = {[K in keyof T]: T[K] | null | undefined};

/** Checks the names of options, and drops those that are null, which tfjs treats as "not given". */
export function givenOptions<T extends object>(
  where: string,
  options: Nullable<T> | null | undefined,
  known: readonly string[],
  remedies?: Record<string, string>,
): T {
  checkOptionNames(where, options ?? undefined, known, 'options', remedies);
  const given = Object.entries(options ?? {}).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(given) as T;
}

/** Suggests the known name most similar to a misspelt one; empty if none is similar. */
export function didYouMean(name: string, known: readonly string[]): string {
  const distances = known.map((other) => distanceBetween(name.toLowerCase(), other.toLowerCase()));
  const nearest = Math.min(...distances);
  const isLike = nearest <= Math.max(name.length > 2 ? 1 : 0, Math.floor(name.length / 3));
  return isLike ? `Did you mean '${known[distances.indexOf(nearest)]}'?` : '';
}

/**
 * Computes the edit distance of two texts: letters added, removed, replaced, or swapped with the
 * next one.
 */
function distanceBetween(text: string, other: string): number {
  const rows = [Array.from({length: other.length + 1}, (_, j) => j)];
  for (let i = 1; i <= text.length; i++) {
    const [row, above, before] = [[i], rows[i - 1] as number[], rows[i - 2]];
    for (let j = 1; j <= other.length; j++) {
      const replaced = (above[j - 1] as number) + (text[i - 1] === other[j - 1] ? 0 : 1);
      const isExchanged = before && text[i - 1] === other[j - 2] && text[i - 2] === other[j - 1];
      const exchanged = isExchanged ? (before[j - 2] as number) + 1 : replaced;
      row.push(Math.min(replaced, exchanged, (above[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    rows.push(row);
  }
  return rows[text.length]?.[other.length] as number;
}

/** Builds the check of a number; the error shows a text in quotes. */
function checkBy(range: string, isRight: (value: number) => boolean) {
  return (where: string, argument: string, value: number): void => {
    if (typeof value === 'number' && isRight(value)) return;
    throw rangeError(where, argument, `be ${range}`, textShown(value));
  };
}

/** Quotes a text, so that `'3'` differs from 3. */
function textShown(value: unknown): unknown {
  return typeof value === 'string' ? `'${value}'` : value;
}

export const checkCount = /* @__PURE__ */ checkBy('an integer >= 1', (x) => Number.isInteger(x) && x >= 1);
export const checkWhole = /* @__PURE__ */ checkBy('an integer >= 0', (x) => Number.isInteger(x) && x >= 0);
export const checkInteger = /* @__PURE__ */ checkBy('an integer', Number.isInteger);
export const checkRatio = /* @__PURE__ */ checkBy('in (0, 1]', (x) => x > 0 && x <= 1);
export const checkClosedUnitInterval = /* @__PURE__ */ checkBy('in [0, 1]', (x) => x >= 0 && x <= 1);
export const checkUnitInterval = /* @__PURE__ */ checkBy('in [0, 1)', (x) => x >= 0 && x < 1);
export const checkOpenUnitInterval = /* @__PURE__ */ checkBy('in (0, 1)', (x) => x > 0 && x < 1);
export const checkFinite = /* @__PURE__ */ checkBy('a finite number', Number.isFinite);
export const checkNotNegative = /* @__PURE__ */ checkBy('a finite number >= 0', (x) => Number.isFinite(x) && x >= 0);
export const checkFinitePositive = /* @__PURE__ */ checkBy('a finite number > 0', (x) => Number.isFinite(x) && x > 0);
/** Checks a number that ops in float32 compute with; beyond this range they would overflow. */
export const checkFloat32 = /* @__PURE__ */ checkBy('from -1e37 to 1e37, for float32', (x) => Math.abs(x) <= 1e37);
/** Checks a number > 0 that ops in float32 divide by, and must not round to 0 or overflow. */
export const checkFloat32Positive = /* @__PURE__ */ checkBy(
  'from 1e-37 to 1e37, for float32',
  (x) => x >= 1e-37 && x <= 1e37,
);
/** Checks a factor that enlarges a number. */
export const checkFactor = /* @__PURE__ */ checkBy('a finite number >= 1', (x) => Number.isFinite(x) && x >= 1);

/**
 * Checks a learning rate that a schedule returned. NaN would reach every weight, and a negative
 * rate would increase the loss.
 *
 * @returns the rate.
 */
export function checkedRate(where: string, rate: unknown): number {
  if (typeof rate === 'number' && Number.isFinite(rate) && rate >= 0) return rate;
  const remedy = 'Its argument is {step, epoch, progress}, with progress from 0 to 1.';
  throw rangeError(where, 'learningRate', 'return a finite number >= 0', textShown(rate), remedy);
}

/** Warns that an option has no effect beside the others that were passed. */
export function warnWithoutEffect(where: string, option: string, why: string): void {
  console.warn(`${where}: ${option} has no effect ${why}.`);
}

export function checkBoolean(where: string, argument: string, value: unknown): void {
  if (typeof value !== 'boolean') throw typeError(where, argument, 'be true or false', textShown(value));
}

export function checkFunction(where: string, argument: string, constraint: string, value: unknown, remedy = ''): void {
  if (typeof value !== 'function') throw typeError(where, argument, constraint, textShown(value), remedy);
}

/** Checks a seed. Any other value would act as its text: `'NaN'`. */
export function checkSeed(where: string, seed: unknown): void {
  if (typeof seed === 'string' || Number.isFinite(seed)) return;
  throw typeError(where, 'seed', 'be a finite number or a text', seed);
}

export function checkWeights(where: string, argument: string, values: readonly number[]): void {
  if (!Array.isArray(values) || !values.every((weight) => Number.isFinite(weight) && weight >= 0)) {
    throw rangeError(where, argument, 'hold finite numbers >= 0', values);
  }
}

/** Checks the number of examples in each class; the remedy is for a class without any. */
export function checkClassCounts(where: string, counts: ArrayLike<number>, remedy: string): void {
  if (!(Array.isArray(counts) || ArrayBuffer.isView(counts)) || counts.length === 0) {
    throw typeError(where, 'counts', 'be a list of numbers, one for each class', counts);
  }
  const wrong = Array.from(counts).findIndex((count) => !Number.isInteger(count) || count < 1);
  if (wrong < 0) return;
  const ofWrong = counts[wrong] === 0 ? remedy : 'Pass the number of examples in each class.';
  throw rangeError(where, 'counts', 'hold integers >= 1', `${counts[wrong]} at position ${wrong}`, ofWrong);
}

export function checkOneOf<T extends string>(where: string, argument: string, value: T, allowed: readonly T[]): void {
  if (allowed.includes(value)) return;
  const remedy = didYouMean(String(value), allowed);
  throw rangeError(where, argument, `be one of ${allowed.join(', ')}`, textShown(value), remedy);
}

/** Checks that the context of a batch has a value that a rule requires. */
export function checkGiven(where: string, argument: string, value: unknown, meaning: string): void {
  if (value !== undefined) return;
  const remedy = `Pass it with each batch: step(xs, ys, {${argument}}), or {context: {${argument}}} in fitOhem; ${meaning}.`;
  throw typeError(where, argument, 'be in the context', value, remedy);
}

/** Checks that a tensor has one value for each row of a batch. */
export function checkRows(where: string, argument: string, tensor: Tensor, batchSize: number): void {
  if (!(tensor instanceof Tensor)) {
    throw typeError(where, argument, `be a tensor of shape [${batchSize}]`, tensor, 'Make one with tf.tensor1d().');
  }
  if (tensor.rank !== 1 || tensor.size !== batchSize) {
    throw typeError(where, argument, `have shape [${batchSize}], one value for each row`, tensor.shape);
  }
}

/**
 * Whether values may be read to find wrong ones. That is in development (no `tf.enableProdMode()`),
 * if tensors are in main memory, so that a read never waits. On a GPU a step never reads back; rows
 * with a wrong label then count as non-finite.
 */
export function mayReadValues(): boolean {
  return !env().getBool('PROD') && livesInMainMemory();
}

/** Whether the host can read tensors of this backend without waiting. */
export function livesInMainMemory(): boolean {
  return getBackend() === 'cpu' || getBackend() === 'wasm';
}

/** Whether all values are known to be right; always false on a GPU, where none is read. */
export function areKnown(tensor: Tensor, isRight: (value: number) => boolean): boolean {
  return livesInMainMemory() && Array.prototype.every.call(valuesToCheck(tensor), isRight);
}

/** Checks every value of a small tensor if `mayReadValues()`, at the cost of a loop. */
export function checkValues(
  where: string,
  argument: string,
  constraint: string,
  tensor: Tensor,
  isRight: (value: number) => boolean,
  remedy = '',
): void {
  if (!mayReadValues()) return;
  const values = valuesToCheck(tensor);
  const of = values.length;
  for (let position = 0; position < of; position++) {
    const value = values[position] as number;
    if (isRight(value)) continue;
    const error = rangeError(where, argument, constraint, `${value} at position ${position}`, remedy);
    wrongValues.set(error, {argument, position, of});
    throw error;
  }
}

/** A value that {@link checkValues} refused: its position among the values of a batch. */
interface WrongValue {
  argument: string;
  position: number;
  of: number;
}

const wrongValues = /* @__PURE__ */ new WeakMap<object, WrongValue>();

/** Returns the value that an error is about; undefined if it is about no value of a batch. */
export function wrongValueOf(error: unknown): WrongValue | undefined {
  return wrongValues.get(Object(error));
}
