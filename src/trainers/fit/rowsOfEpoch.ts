/** @file The rows of each epoch, chosen by a sampler. */

import type {Optimizer} from '@tensorflow/tfjs-core';
import {rangeError, typeError} from '../../checks';
import type {ChosenRows, ItemSizes, Place} from '../../data/batchSource';
import {rowsFrom, shuffledRows} from '../../data/tensorBatches';
import type {EpochRows, RowScores, Sampler} from '../../types';
import {checkPlain, fromJson, toJson} from '../checkpoint/plainData';
import {rateScale} from './pace';
import {unseenRows} from './rowScores';
import {checkEpochRows, samplerText} from './samplerCheck';

/** The epoch in progress. */
interface Epoch {
  chosen: EpochRows;
  /** Number of rows rescored at its end; undefined before. */
  rescored?: number;
  /** The latest learning rate before scaling; undefined without a factor. */
  rate?: number | undefined;
}

/** The saved data of a sampler: plain data with typed arrays. */
export interface SavedSampler {
  name: string;
  /** Name and options; absent in a state of an earlier version. */
  text?: string;
  size: number;
  state: unknown;
  scores: RowScores;
  epoch?: Epoch | undefined;
  /** Item sizes known when the epoch began, for a dataset. */
  items?: ItemSizes | undefined;
}

/** A sampler in a run. */
export interface SamplerTask {
  where: string;
  sampler: Sampler;
  /** Number of rows in the data set. */
  size: number;
  seed: number | string;
  /** The epoch at which the run ends. */
  epochs: number;
  /** Whether each epoch shuffles the chosen rows. */
  isShuffled: boolean;
}

/** Provides the rows of one epoch after the other. */
export type RowsOfEpoch = ReturnType<typeof rowsOfEpoch>;

/** Threads the state of a sampler through the epochs of a run. */
export function rowsOfEpoch({where, sampler, size, seed, epochs, isShuffled}: SamplerTask, saved?: SavedSampler) {
  const {samplerName: name} = sampler;
  const text = samplerText(where, sampler);
  let state = saved ? saved.state : sampler.init(size);
  let epoch = saved?.epoch;
  let order: Int32Array | undefined;
  let items = saved?.items;
  const rates = rateScale(where);
  const scores = saved?.scores ?? unseenRows(size, sampler.needs);
  const save = () =>
    toJson(where, `sampler ${name}`, {name, text, size, state, scores, epoch, items} satisfies SavedSampler);
  // A state that cannot be saved must be refused before training.
  if (!saved) checkPlain(where, `state of sampler ${name}`, state);
  const current = (): Epoch => begunEpoch(where, epoch);
  return {
    scores,
    save,
    /** Returns the epoch in progress. */
    current,
    /** Returns the rows to train on in the current epoch. */
    toTrainOn(): ChosenRows {
      const {rows, weights} = current().chosen;
      return {rows, weights, order, items};
    },
    /** Returns the rows to rescore at the end of the epoch. */
    toScore: (): Int32Array => current().chosen.rescore ?? new Int32Array(0),
    /** Returns the rate of the latest step, if the current epoch has a factor. */
    latestRate: (): number | undefined =>
      epoch?.rate === undefined ? undefined : epoch.rate * (epoch.chosen.learningRateFactor ?? 1),
    /** Chooses the rows of an epoch, unless it is already in progress. */
    begin({epoch: number, earlier = 0, batch}: Place): void {
      const at = {epoch: number + earlier, epochs: epochs + earlier, seed, scores: copyOf(scores)};
      if (!epoch || batch === 0) epoch = {chosen: checkEpochRows(where, sampler, size, sampler.choose(state, at))};
      order = isShuffled ? shuffledRows(epoch.chosen.rows.length, seed, at.epoch) : undefined;
    },
    /** Multiplies the rate of the optimizer, or the rate `due`, until `restoreRate`. */
    scaleRate(optimizer: Optimizer, due = current().rate): void {
      current().rate = rates.scale(optimizer, current().chosen.learningRateFactor ?? 1, due);
    },
    restoreRate: rates.restore,
    /** Ends an epoch of which the first `count` rows ran, in their order. */
    end({epoch: number, earlier = 0}: Place, count: number, known?: ItemSizes): void {
      items = known;
      const chosen = cutTo(current().chosen, order, count);
      state = nextState(where, sampler, state, {epoch: number + earlier, chosen, scores: copyOf(scores)});
      epoch = undefined;
    },
  };
}

function begunEpoch(where: string, epoch: Epoch | undefined): Epoch {
  if (!epoch) throw new Error(`${where}: an epoch has no rows before they are chosen.`);
  return epoch;
}

/** Computes the state after an epoch, and checks it at once. */
function nextState(where: string, sampler: Sampler, state: unknown, seen: Parameters<Sampler['next']>[1]): unknown {
  const next = sampler.next(state, seen);
  checkPlain(where, `state of sampler ${sampler.samplerName}`, next);
  if (next !== undefined || state === undefined) return next;
  throw typeError(where, `next of sampler ${sampler.samplerName}`, 'return the state after the epoch', next);
}

/**
 * Copies scores for a sampler, which may keep or change them, while the trainer updates its own.
 */
function copyOf({losses, correct, confidence}: RowScores): RowScores {
  return {
    losses: losses.slice(),
    ...(correct && {correct: correct.slice()}),
    ...(confidence && {confidence: confidence.slice()}),
  };
}

/** Cuts an epoch that ended early to the rows that ran; the losses of the others are older. */
function cutTo(chosen: EpochRows, order: Int32Array | undefined, count: number): EpochRows {
  const {rows, weights} = chosen;
  if (count >= rows.length) return chosen;
  const places = order ? order.slice(0, count).sort() : rowsFrom(0, count);
  return {
    ...chosen,
    rows: places.map((place) => rows[place] as number),
    ...(weights && {weights: Float32Array.from(places, (place) => weights[place] as number)}),
  };
}

/**
 * Decodes the saved data of a sampler.
 *
 * @throws TypeError or RangeError if it is of another sampler, of other data, or damaged.
 */
export function savedSampler(where: string, {sampler, size}: SamplerTask, given: unknown): SavedSampler {
  const saved = fromJson(given) as SavedSampler;
  const {name, text = name, size: rows, scores} = Object(saved) as Partial<SavedSampler>;
  const of = (part: string) => `${part} of sampler in initialState`;
  if (name !== sampler.samplerName)
    throw typeError(where, 'sampler', `be ${name}, as in initialState`, sampler.samplerName);
  const own = samplerText(where, sampler);
  if (text !== name && text !== own) throw typeError(where, 'sampler', `be ${text}, as in initialState`, own);
  if (rows !== size) throw rangeError(where, 'rows', `be as many as in initialState, ${rows}`, size);
  const bad = Object.entries(unseenRows(0, sampler.needs)).find(([part, due]) => {
    const list: unknown = scores?.[part as keyof RowScores];
    return !(list instanceof due.constructor && (list as Float32Array).length === size);
  })?.[0];
  if (bad) throw typeError(where, of(bad), `hold ${size} numbers`, 'others', 'It was truncated or changed.');
  // Validates saved rows like newly chosen ones.
  if (saved.epoch) checkEpochRows(where, sampler, size, saved.epoch.chosen);
  return saved;
}
