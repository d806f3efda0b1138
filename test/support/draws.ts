/**
 * @file What the tests of rules that draw have in common: their chances by enumeration, and how far
 *   counts may be from them.
 */
import {type Tensor1D, tensor1d, tidy} from '@tensorflow/tfjs-core';
import type {SelectionContext, Selector} from 'ohem-tfjs';
import {expect} from 'vitest';
import {noise} from '../../src/selectors/noise';
import {keptRows} from './selections';

/**
 * The chance of each set of `k` places, as its sorted places, when they are drawn one after the
 * other in proportion to weights.
 */
function successiveChances(weights: readonly number[], k: number): Map<string, number> {
  const chances = new Map<string, number>();
  const draw = (drawn: number[], chance: number) => {
    if (drawn.length === k) return add(chances, named(drawn), chance);
    const left = weights.map((weight, place) => (drawn.includes(place) ? 0 : weight));
    const total = sumOf(left);
    left.forEach((weight, place) => {
      if (weight > 0) draw([...drawn, place], (chance * weight) / total);
    });
  };
  draw([], 1);
  return chances;
}

/** The chance of each of `size` places to be in the set that is drawn. */
function inclusionChances(sets: Map<string, number>, size: number): number[] {
  const chances = Array<number>(size).fill(0);
  for (const [set, chance] of sets) for (const place of placesOf(set)) chances[place] = (chances[place] ?? 0) + chance;
  return chances;
}

/** How often each set of rows is kept at the steps 0 … steps − 1. */
function countSets(
  select: Selector,
  losses: readonly number[],
  steps: number,
  context: SelectionContext = {},
): Map<string, number> {
  const counts = new Map<string, number>();
  const given = tensor1d([...losses]);
  for (let step = 0; step < steps; step++) {
    const rows = tidy(() => {
      const {indices, weights} = select(given, {...context, step});
      return keptRows({indices: [...indices.dataSync()], weights: [...weights.dataSync()]});
    });
    add(counts, named(rows), 1);
  }
  given.dispose();
  return counts;
}

/**
 * Expects counts of `draws` to be what their chances say. A count with chance p has the standard
 * error √(draws · p · (1 − p)). One of a few dozen counts is off by more than 4.5 of these once in
 * about 5000 tests; and seeds are fixed.
 */
export function expectCounts(counts: readonly number[], chances: readonly number[], draws: number): void {
  expect(counts).toHaveLength(chances.length);
  chances.forEach((chance, i) => {
    const standardError = Math.sqrt(draws * chance * (1 - chance));
    const off = Math.abs((counts[i] as number) - draws * chance);
    expect({i, chance, count: counts[i], isNear: off <= 4.5 * standardError + 1e-6}).toMatchObject({isNear: true});
  });
}

/**
 * Expects sets to come as often as their chances say, all together: Σ (count − expected)² /
 * expected has χ² with one degree of freedom less than there are sets. By Wilson and Hilferty's
 * cube root it is as a normal number; ± 4 of its standard deviations is once in 16 000 tests.
 */
function expectSets(counts: Map<string, number>, chances: Map<string, number>, draws: number): void {
  expect([...counts.keys()].filter((set) => !chances.has(set))).toEqual([]);
  const terms = [...chances].map(([set, chance]) => ((counts.get(set) ?? 0) - draws * chance) ** 2 / (draws * chance));
  const freedom = terms.length - 1;
  const spread = 2 / (9 * freedom);
  const z = (Math.cbrt(sumOf(terms) / freedom) - (1 - spread)) / Math.sqrt(spread);
  expect(Math.abs(z)).toBeLessThan(4);
}

/** Six losses whose ranks are all different. */
export const SIX = [0.3, 0.9, 0.1, 0.5, 0.7, 0.2];

/**
 * Expects a rule to keep every set of `k` rows, and every row, as often as draws one after the
 * other in proportion to `chances` do. Rows of `losses` behind the last chance are never to be
 * kept.
 */
export function expectSuccessive(
  select: Selector,
  losses: readonly number[],
  chances: readonly number[],
  k: number,
  draws: number,
  context?: SelectionContext,
): void {
  const counts = countSets(select, losses, draws, context);
  const sets = successiveChances(chances, k);
  expectSets(counts, sets, draws);
  expectCounts(inclusionChances(counts, chances.length), inclusionChances(sets, chances.length), draws);
}

/** The uniform numbers that a rule makes its noise of, in float64. */
export function uniforms(size: number, seed: number, step: number): number[] {
  const numbers: number[] = [];
  tidy(() => noise(size, seed, {step}, (uniform) => numbers.push(uniform)) as Tensor1D);
  return numbers;
}

export const gumbel = (uniform: number): number => -Math.log(-Math.log(uniform));

/** The places of the `k` largest numbers. */
export function largestPlaces(numbers: readonly number[], k: number): number[] {
  const places = numbers.map((_, place) => place);
  return places.sort((a, b) => (numbers[b] as number) - (numbers[a] as number)).slice(0, k);
}

export const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

const named = (places: readonly number[]) => [...places].sort((a, b) => a - b).join();
const placesOf = (set: string) => (set === '' ? [] : set.split(',').map(Number));

function add(counts: Map<string, number>, name: string, more: number): void {
  counts.set(name, (counts.get(name) ?? 0) + more);
}
