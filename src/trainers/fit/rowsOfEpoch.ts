/** @file Which rows the epochs of a run train on, if a sampler chooses them. */

import type {Optimizer} from '@tensorflow/tfjs-core';
import {rangeError, typeError} from '../../checks';
import type {ChosenRows, Place} from '../../data/batchSource';
import {shuffle} from '../../data/tensorBatches';
import type {RowScores, Sampler} from '../../types';
import {fromJson, toJson} from '../checkpoint/plainData';
import {scaleRate} from './pace';
import {unseenRows} from './rowScores';
import {checkEpochRows} from './samplerCheck';

/** The epoch that is under way. */
interface Epoch extends ChosenRows {
  rescore: Int32Array;
  factor: number;
  /** How many rows were run forward at its end; undefined before that. */
  rescored?: number;
  /** The rate of the optimizer, if it was multiplied by the factor. */
  rate?: number;
}

/** What a sampler knows, as it is saved: plain data with typed arrays. */
export interface SavedSampler {
  name: string;
  size: number;
  state: unknown;
  scores: RowScores;
  epoch?: Epoch | undefined;
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
  let state = saved ? saved.state : sampler.init(size);
  let epoch = saved?.epoch;
  let restoreRate: (() => void) | undefined;
  const scores = saved?.scores ?? unseenRows(size, sampler.needs);
  const save = () => {
    const known: SavedSampler = {name: sampler.samplerName, size, state, scores, epoch};
    return toJson(where, `sampler ${sampler.samplerName}`, known);
  };
  // What cannot be saved is to be known before anything is trained.
  if (!saved) toJson(where, `state of sampler ${sampler.samplerName}`, state);
  const current = (): Epoch => {
    if (!epoch) throw new Error(`${where}: an epoch has no rows before they are chosen.`);
    return epoch;
  };
  return {
    scores,
    save,
    current,
    /** Chooses the rows of an epoch, unless it is under way already. */
    begin({epoch: number, earlier = 0, batch}: Place): void {
      if (epoch && batch > 0) return;
      const at = {epoch: number + earlier, epochs: epochs + earlier, seed, scores};
      const chosen = checkEpochRows(where, sampler, size, sampler.choose(state, at));
      const [rows, weights] = [chosen.rows.slice(), chosen.weights?.slice()];
      if (isShuffled) shuffle([rows, ...(weights ? [weights] : [])], seed, at.epoch);
      const {rescore = new Int32Array(0), learningRateFactor: factor = 1} = chosen;
      epoch = {rows, weights, rescore, factor};
    },
    /** Multiplies the rate of the optimizer for the epoch. */
    scaleRate(optimizer: Optimizer): void {
      const {factor, rate} = current();
      if (factor === 1) return;
      const scaled = scaleRate(where, optimizer, factor, rate);
      restoreRate = scaled.restore;
      current().rate = scaled.rate;
    },
    /** Gives the optimizer its rate back. */
    restoreRate(): void {
      restoreRate?.();
      restoreRate = undefined;
    },
    /** Ends an epoch, all of whose rows are scored. */
    end({epoch: number, earlier = 0}: Place): void {
      state = sampler.next(state, {epoch: number + earlier, scores});
      epoch = undefined;
    },
  };
}

/**
 * Reads what was saved of a sampler.
 *
 * @throws TypeError or RangeError if it is of another sampler, of other data, or damaged.
 */
export function savedSampler(where: string, {sampler, size}: SamplerTask, given: unknown): SavedSampler {
  const saved = fromJson(given) as SavedSampler;
  const {name, size: rows, scores} = Object(saved) as Partial<SavedSampler>;
  const of = (part: string) => `${part} of sampler in initialState`;
  if (name !== sampler.samplerName)
    throw typeError(where, 'sampler', `be ${name}, as in initialState`, sampler.samplerName);
  if (rows !== size) throw rangeError(where, 'rows', `be as many as in initialState, ${rows}`, size);
  const bad = Object.entries(unseenRows(0, sampler.needs)).find(([part, due]) => {
    const list: unknown = scores?.[part as keyof RowScores];
    return !(list instanceof due.constructor && (list as Float32Array).length === size);
  })?.[0];
  if (bad) throw typeError(where, of(bad), `hold ${size} numbers`, 'others', 'It was cut short or changed.');
  if (saved.epoch) checkSavedEpoch(where, size, saved.epoch);
  return saved;
}

function checkSavedEpoch(where: string, size: number, {rows, weights, rescore, factor}: Epoch): void {
  const areRows = (list: unknown) => list instanceof Int32Array && list.every((row) => row >= 0 && row < size);
  const areWeights = weights === undefined || (weights instanceof Float32Array && weights.length === rows.length);
  if (areRows(rows) && areRows(rescore) && areWeights && factor > 0) return;
  throw typeError(where, 'epoch of sampler in initialState', `hold rows of ${size}`, 'others', 'It was changed.');
}
