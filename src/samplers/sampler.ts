import {checkCount, checkRatio, checkWhole, rangeError, typeError} from '../checks';
import type {EpochRows, RowScores, Sampler} from '../types';
import {wholePart} from '../wholePart';

/** Option shared by all samplers. */
export interface EndingOptions {
  /**
   * Share of the epochs after which training uses all rows, with weight 1; in (0, 1]. Default 1:
   * rows may be left out to the end.
   */
  delta?: number;
}

/** The state of a sampler without memory: the number of rows. */
export interface DataSize {
  size: number;
}

/** The arguments of a choice besides the state. */
export type Occasion = Parameters<Sampler['choose']>[1];

interface Parts<S extends DataSize> {
  delta: number | undefined;
  /** All other options, with their defaults. */
  options: Readonly<Record<string, unknown>>;
  needs?: Sampler['needs'];
  init(size: number): S;
  choose(state: S, at: Occasion): EpochRows;
  next?: Sampler<S>['next'];
}

/**
 * Builds a sampler that checks its arguments and returns all rows in the last epochs.
 *
 * @throws RangeError if `delta` is not in (0, 1].
 */
export function sampler<S extends DataSize>(name: string, {delta = 1, options, needs, ...parts}: Parts<S>): Sampler<S> {
  checkRatio(name, 'delta', delta);
  const {next = (state: S) => state} = parts;
  const check = (scores: RowScores, {size}: S) => checkScores(name, scores, size, needs);
  return {
    samplerName: name,
    options: {...options, delta},
    ...(needs && {needs}),
    init(size) {
      checkCount(name, 'size', size);
      return parts.init(size);
    },
    choose(state, at) {
      checkWhole(name, 'epoch', at.epoch);
      checkCount(name, 'epochs', at.epochs);
      check(at.scores, state);
      const isFull = at.epoch >= wholePart(delta * at.epochs);
      return isFull ? {rows: allRows(state.size)} : parts.choose(state, at);
    },
    next(state, seen) {
      checkWhole(name, 'epoch', seen.epoch);
      check(seen.scores, state);
      return next(state, seen);
    },
  };
}

function checkScores(where: string, scores: RowScores, size: number, needs: Sampler['needs'] = []): void {
  for (const name of ['losses', ...needs] as const) {
    const values: unknown = scores?.[name];
    const Kind = name === 'correct' ? Uint8Array : Float32Array;
    if (!(values instanceof Kind)) throw typeError(where, `scores.${name}`, `be a ${Kind.name}`, values);
    if (values.length === size) continue;
    throw rangeError(where, `scores.${name}`, `have ${size} values, one for each row`, values.length);
  }
}

/** Lists the rows 0 … size − 1. */
export function allRows(size: number): Int32Array {
  const rows = new Int32Array(size);
  for (let row = 0; row < size; row++) rows[row] = row;
  return rows;
}
