/** @file Which rows the epochs of a run train on, if a sampler chooses them. */

import type {Optimizer} from '@tensorflow/tfjs-core';
import {rangeError, typeError} from '../../checks';
import type {ChosenRows, ItemSizes, Place} from '../../data/batchSource';
import {rowsFrom, shuffledRows} from '../../data/tensorBatches';
import type {EpochRows, RowScores, Sampler} from '../../types';
import {checkPlain, fromJson, toJson} from '../checkpoint/plainData';
import {rateScale} from './pace';
import {unseenRows} from './rowScores';
import {checkEpochRows, samplerText} from './samplerCheck';

/** The epoch that is under way. */
interface Epoch {
  chosen: EpochRows;
  /** How many rows were run forward at its end; undefined before that. */
  rescored?: number;
  /** The latest rate that was multiplied by the factor, before that; undefined without a factor. */
  rate?: number | undefined;
}

/** What a sampler knows, as it is saved: plain data with typed arrays. */
export interface SavedSampler {
  name: string;
  /** The name with the options; not known of a state of an earlier version. */
  text?: string;
  size: number;
  state: unknown;
  scores: RowScores;
  epoch?: Epoch | undefined;
  /** What was known of the items of a dataset when the epoch began. */
  items?: ItemSizes | undefined;
}

/** A sampler in a run. */
export interface SamplerTask {
  where: string;
  sampler: Sampler;
  /** How many rows the data set has. */
  size: number;
  seed: number | string;
  /** The epoch at which the run ends. */
  epochs: number;
  /** Whether the chosen rows come in another order in each epoch, and not in their own. */
  isShuffled: boolean;
}

/** The rows of one epoch after the other. */
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
  // What cannot be saved is to be known before anything is trained.
  if (!saved) checkPlain(where, `state of sampler ${name}`, state);
  const current = (): Epoch => begunEpoch(where, epoch);
  return {
    scores,
    save,
    /** What is known of the epoch that is under way. */
    current,
    /** The rows of the epoch that is under way, to be trained on. */
    toTrainOn(): ChosenRows {
      const {rows, weights} = current().chosen;
      return {rows, weights, order, items};
    },
    /** The rows that are to be scored at its end. */
    toScore: (): Int32Array => current().chosen.rescore ?? new Int32Array(0),
    /** The rate of the latest step, if an epoch with a factor is under way. */
    latestRate: (): number | undefined =>
      epoch?.rate === undefined ? undefined : epoch.rate * (epoch.chosen.learningRateFactor ?? 1),
    /** Chooses the rows of an epoch, unless it is under way already. */
    begin({epoch: number, earlier = 0, batch}: Place): void {
      const at = {epoch: number + earlier, epochs: epochs + earlier, seed, scores: copyOf(scores)};
      if (!epoch || batch === 0) epoch = {chosen: checkEpochRows(where, sampler, size, sampler.choose(state, at))};
      order = isShuffled ? shuffledRows(epoch.chosen.rows.length, seed, at.epoch) : undefined;
    },
    /** Multiplies the rate of the optimizer, or the one that is due, until `restoreRate`. */
    scaleRate(optimizer: Optimizer, due = current().rate): void {
      current().rate = rates.scale(optimizer, current().chosen.learningRateFactor ?? 1, due);
    },
    restoreRate: rates.restore,
    /** Ends an epoch, of whose rows the first `count` ran, in their order. */
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

/** The state after an epoch, checked at once. */
function nextState(where: string, sampler: Sampler, state: unknown, seen: Parameters<Sampler['next']>[1]): unknown {
  const next = sampler.next(state, seen);
  checkPlain(where, `state of sampler ${sampler.samplerName}`, next);
  if (next !== undefined || state === undefined) return next;
  throw typeError(where, `next of sampler ${sampler.samplerName}`, 'return the state after the epoch', next);
}

/** Copies scores for a sampler, which may keep or change them: the trainer goes on writing into its own. */
function copyOf({losses, correct, confidence}: RowScores): RowScores {
  return {
    losses: losses.slice(),
    ...(correct && {correct: correct.slice()}),
    ...(confidence && {confidence: confidence.slice()}),
  };
}

/** Cuts an epoch to the rows that ran, if it ended before the others did: their losses are older. */
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
 * Reads what was saved of a sampler.
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
  if (bad) throw typeError(where, of(bad), `hold ${size} numbers`, 'others', 'It was cut short or changed.');
  // The rows of an epoch are checked as if they had just been chosen.
  if (saved.epoch) checkEpochRows(where, sampler, size, saved.epoch.chosen);
  return saved;
}
