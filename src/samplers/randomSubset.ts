import {checkOptionNames, checkRatio, rangeError, typeError} from '../checks';
import {hashed, uniformFrom} from '../random';
import type {EpochRows, Sampler} from '../types';
import {type DataSize, type EndingOptions, type Occasion, sampler} from './sampler';

const NAME = 'randomSubset';

export interface RandomSubsetOptions extends EndingOptions {
  /** Share of the rows per epoch, in (0, 1]. */
  ratio: number;
  /**
   * Class of each row: every epoch has about the same share of each. A run resumes only with labels
   * of the same classes. Omit to ignore classes.
   */
  stratify?: ArrayLike<number>;
  /** Seed of the draws. Default: the seed of the run. */
  seed?: number | string;
}

/** The rows used in the current pass over the data. */
export interface TurnsTaken extends DataSize {
  /** `uint8[N]`, 1 = used. */
  taken: Uint8Array;
}

/**
 * Trains each epoch on a random subset, and uses every row once before any row repeats.
 *
 *     epoch = m random rows not used in this pass,   m = max(1, round(ratio · N))
 *
 * RS2 without replacement, and the control that every other sampler must beat: it costs as little,
 * and uses no losses. If fewer than `m` rows are left, the epoch has all of them and the first rows
 * of the next pass, none twice.
 *
 * With `stratify` each class has its own passes. An epoch then has `floor(m · N_c / N)` rows of a
 * class, or one more at random.
 *
 * @param options  see {@link RandomSubsetOptions}.
 * @returns a sampler for `fitOhem({sampler})`. Its state has one byte per row.
 * @throws RangeError or TypeError for a wrong option; RangeError from `init` if `stratify` does not
 *   have one label for each row.
 *
 * @example
 * const sampler = randomSubset({ratio: 0.5, seed: 1});
 * const scores = {losses: new Float32Array(6)};
 * const first = sampler.choose(sampler.init(6), {epoch: 0, epochs: 10, seed: 0, scores});
 * first.rows.length;   // 3
 * const state = sampler.next(sampler.init(6), {epoch: 0, chosen: first, scores});
 * const second = sampler.choose(state, {epoch: 1, epochs: 10, seed: 0, scores});   // the others
 * [...first.rows, ...second.rows].sort();   // [0, 1, 2, 3, 4, 5]
 *
 * @see Okanovic et al., Repeated Random Sampling for Minimizing the Time-to-Accuracy of Learning,
 *   ICLR 2024, RS2 without replacement (arXiv:2305.18424)
 */
export function randomSubset(options: RandomSubsetOptions = {} as RandomSubsetOptions): Sampler<TurnsTaken> {
  checkOptionNames(NAME, options, ['ratio', 'stratify', 'seed', 'delta']);
  const {ratio, stratify, seed, delta} = options;
  checkRatio(NAME, 'ratio', ratio);
  checkSeed(seed);
  const given = stratify === undefined ? undefined : classesOf(stratify);
  const classesFor = (size: number) => given ?? {sizes: Int32Array.of(size)};
  return sampler<TurnsTaken>(NAME, {
    delta,
    options: {ratio, ...comparedLabels(given), seed: seed ?? null},
    init(size) {
      checkLabels(stratify, size);
      return {size, taken: new Uint8Array(size)};
    },
    choose({size, taken}, at) {
      const count = Math.max(1, Math.round(ratio * size));
      return subset(taken, count, classesFor(size), {...at, seed: seed ?? at.seed});
    },
    next: ({size, taken}, {chosen}) => ({size, taken: turnsAfter(taken, chosen.rows, classesFor(size))}),
  });
}

interface Classes {
  /** Class of each row, numbered from 0. Omit for one class. */
  ofRow?: Int32Array;
  /** Number of rows of each class. */
  sizes: Int32Array;
}

function classOf({ofRow}: Classes, row: number): number {
  return ofRow ? (ofRow[row] as number) : 0;
}

/** Draws the rows of an epoch: rows of this pass first, then of the next one if they run out. */
function subset(taken: Uint8Array, count: number, classes: Classes, {seed, epoch}: Occasion): EpochRows {
  const uniform = uniformFrom(`${NAME} ${seed}/${epoch}`);
  const wanted = quotas(classes.sizes, count, taken.length, uniform());
  // Two places per class: rows not used in this pass, and used rows.
  const left = new Int32Array(2 * wanted.length);
  const placeOf = (row: number) => 2 * classOf(classes, row) + (taken[row] as number);
  for (let row = 0; row < taken.length; row++) {
    const place = placeOf(row);
    left[place] = (left[place] as number) + 1;
  }
  const needed = left.map((rows, place) => {
    const ofClass = wanted[place >> 1] as number;
    return place % 2 === 0 ? Math.min(ofClass, rows) : Math.max(0, ofClass - (left[place - 1] as number));
  });
  const rows = new Int32Array(count);
  let found = 0;
  for (let row = 0; found < count; row++) {
    const place = placeOf(row);
    // Uniform without replacement: the chance is the number still needed over the number left.
    const isDrawn = uniform() * (left[place] as number) < (needed[place] as number) ? 1 : 0;
    rows[found] = row;
    found += isDrawn;
    needed[place] = (needed[place] as number) - isDrawn;
    left[place] = (left[place] as number) - 1;
  }
  return {rows};
}

/**
 * Divides `count` rows among classes by size: the integer part of each share, or one more.
 *
 * The common random start gives each class its fraction as a chance, so rare classes appear too.
 */
function quotas(sizes: Int32Array, count: number, size: number, start: number): Int32Array {
  let before = 0;
  const upTo = (rows: number) => Math.floor((count * rows) / size + start);
  return sizes.map((ofClass) => {
    before += ofClass;
    return upTo(before) - upTo(before - ofClass);
  });
}

/**
 * Records the rows of an epoch. A class that starts its next pass keeps only the rows of that one.
 */
function turnsAfter(taken: Uint8Array, rows: Int32Array, classes: Classes): Uint8Array {
  // An epoch with all rows does not count.
  if (rows.length === taken.length) return taken;
  const isNext = new Uint8Array(classes.sizes.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    if (taken[row] === 1) isNext[classOf(classes, row)] = 1;
  }
  const after = isNext.includes(1)
    ? taken.map((was, row) => (isNext[classOf(classes, row)] === 1 ? 0 : was))
    : taken.slice();
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    if (taken[row] === 1 || isNext[classOf(classes, row)] === 0) after[row] = 1;
  }
  return after;
}

function classesOf(labels: ArrayLike<number>): Classes {
  const remedy = 'Pass one label for each row, such as await labels.data().';
  if (labels === null || typeof labels !== 'object' || !(labels.length > 0)) {
    throw typeError(NAME, 'stratify', 'be a list of numbers', labels, remedy);
  }
  const [ofRow, ids, sizes] = [new Int32Array(labels.length), new Map<number, number>(), [] as number[]];
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as number;
    if (!Number.isFinite(label)) throw rangeError(NAME, `stratify[${row}]`, 'be a finite number', label, remedy);
    const id = ids.get(label) ?? ids.size;
    ids.set(label, id);
    ofRow[row] = id;
    sizes[id] = (sizes[id] ?? 0) + 1;
  }
  return {ofRow, sizes: Int32Array.from(sizes)};
}

/**
 * Returns the labels as options to compare: the number of classes, and a hash of their rows. Labels
 * that divide the rows alike are the same, because classes are numbered in the order of the rows.
 */
function comparedLabels(given: Classes | undefined): {classes: number | null; rowsOfClasses?: number} {
  if (!given?.ofRow) return {classes: null};
  return {classes: given.sizes.length, rowsOfClasses: hashed(given.ofRow) >>> 0};
}

function checkLabels(labels: ArrayLike<number> | undefined, size: number): void {
  if (labels === undefined || labels.length === size) return;
  throw rangeError(NAME, 'stratify', `have ${size} labels, one for each row`, labels.length);
}

function checkSeed(seed: unknown): void {
  if (seed === undefined || Number.isFinite(seed) || typeof seed === 'string') return;
  throw typeError(NAME, 'seed', 'be a finite number or a text', seed);
}
