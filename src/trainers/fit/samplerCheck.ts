/** @file Checks samplers, and the rows that they choose. */

import {checkFinitePositive, checkFunction, checkOneOf, checkOptionNames, rangeError, typeError} from '../../checks';
import type {EpochRows, Sampler} from '../../types';
import {isRecord, toJson} from '../checkpoint/plainData';

const METHODS = ['init', 'choose', 'next'] as const;
const CHOICE: readonly (keyof EpochRows)[] = ['rows', 'weights', 'rescore', 'learningRateFactor'];
const NEEDS = ['correct', 'confidence'] as const;

/** Checks that a value is a sampler. */
export function checkSampler(where: string, sampler: unknown): asserts sampler is Sampler {
  const {samplerName, needs = []} = Object(sampler) as Partial<Sampler>;
  const remedy = 'Pass infoBatch(), randomSubset({ratio: 0.5}), or one of your own.';
  if (typeof sampler !== 'object' || sampler === null) {
    throw typeError(where, 'sampler', 'be a sampler {samplerName, init, choose, next}', sampler, remedy);
  }
  if (typeof samplerName !== 'string') throw typeError(where, 'sampler.samplerName', 'be a text', samplerName, remedy);
  for (const name of METHODS) {
    checkFunction(where, `sampler.${name}`, 'be a function', (sampler as Partial<Sampler>)[name], remedy);
  }
  if (!Array.isArray(needs)) throw typeError(where, 'sampler.needs', `be a list of ${NEEDS.join(', ')}`, needs);
  for (const need of needs) checkOneOf(where, 'sampler.needs', need, NEEDS);
}

/** Formats a sampler and its options as text, to save and compare: `hardestRows({"ratio":0.5})`. */
export function samplerText(where: string, {samplerName, options}: Sampler): string {
  if (options === undefined) return samplerName;
  return `${samplerName}(${JSON.stringify(toJson(where, `options of sampler ${samplerName}`, options))})`;
}

/** Checks the choice of a sampler for an epoch of a data set with `size` rows. */
export function checkEpochRows(where: string, {samplerName}: Sampler, size: number, given: unknown): EpochRows {
  const of = (part: string) => `${part} of sampler ${samplerName}`;
  if (typeof given !== 'object' || given === null || !isRecord(given)) {
    throw typeError(
      where,
      of('choice'),
      'be a record {rows}',
      given,
      'Return {rows: Int32Array.from(list)} from choose.',
    );
  }
  checkOptionNames(where, given, CHOICE, of('choice'));
  const {rows, weights, rescore, learningRateFactor} = given as Partial<EpochRows>;
  checkRows(where, of('rows'), size, rows);
  if (rows?.length === 0) throw rangeError(where, of('rows'), 'hold at least one row in each epoch', 'none');
  if (weights !== undefined) checkWeights(where, of('weights'), (rows as Int32Array).length, weights);
  if (rescore !== undefined) checkRows(where, of('rescore'), size, rescore);
  if (learningRateFactor !== undefined) checkFinitePositive(where, of('learningRateFactor'), learningRateFactor);
  return given as EpochRows;
}

function checkRows(where: string, argument: string, size: number, rows: unknown): void {
  if (!(rows instanceof Int32Array)) throw typeError(where, argument, 'be an Int32Array', rows);
  let before = -1;
  for (let place = 0; place < rows.length; place++) {
    const row = rows[place] as number;
    if (!(row >= 0 && row < size)) {
      throw rangeError(where, argument, `be from 0 to ${size - 1}`, `${row} at position ${place}`);
    }
    if (row <= before) {
      const got = `${row} after ${before} at position ${place}`;
      throw rangeError(where, argument, 'be in ascending order, each once', got);
    }
    before = row;
  }
}

function checkWeights(where: string, argument: string, count: number, weights: unknown): void {
  if (!(weights instanceof Float32Array)) throw typeError(where, argument, 'be a Float32Array', weights);
  if (weights.length !== count) {
    throw typeError(where, argument, `hold one number for each of the ${count} rows`, `${weights.length}`);
  }
  let largest = 0;
  for (let place = 0; place < count; place++) {
    const weight = weights[place] as number;
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
      throw rangeError(where, argument, 'be finite and >= 0', `${weight} at position ${place}`);
    }
    largest = Math.max(largest, weight);
  }
  if (largest === 0) throw rangeError(where, argument, 'be over 0 for at least one row', 'zeros');
}
