/** @file A sampler in a run: where it starts, and its work at the end of an epoch. */

import type {Logs} from '@tensorflow/tfjs-layers';
import {typeError} from '../../checks';
import type {BatchSource} from '../../data/batchSource';
import type {TrainingState} from '../checkpoint/trainingState';
import type {StepSettings} from '../step/options';
import {samplerLeft} from './continuation';
import type {FitOptions} from './fitOptions';
import {type Pauses, type ScoredRows, scoredRows} from './rowScores';
import {type RowsOfEpoch, rowsOfEpoch, type SamplerTask, type SavedSampler, savedSampler} from './rowsOfEpoch';

/** Logs of an epoch that exist only with a sampler. */
export const SAMPLER_LOGS = ['rows', 'rescored'];

/** A sampler in a run. */
export interface Sampling {
  rows: RowsOfEpoch;
  scored: ScoredRows;
  source: BatchSource;
}

/** The parts of a run that a sampler needs. */
export interface SampledRun {
  options: FitOptions;
  training: BatchSource;
  seed: number | string;
  isShuffled: boolean;
}

/** Adds a sampler to a run, resumed if the run is; undefined without one. */
export function samplingOf(
  settings: StepSettings,
  {options, training, seed, isShuffled}: SampledRun,
  state: TrainingState,
): Sampling | undefined {
  const {where} = settings;
  const {sampler, initialState, epochs = 1} = options;
  checkSameKind(where, options);
  if (!sampler) return undefined;
  const task = {where, sampler, size: training.samples as number, seed, epochs, isShuffled};
  const known = initialState ? state.sampler : samplerLeft(settings, sampler);
  const saved = known === undefined ? undefined : savedFor(task, known, initialState !== undefined);
  const rows = rowsOfEpoch(task, saved);
  return {rows, scored: scoredRows(settings, sampler, rows.scores), source: training};
}

/**
 * Checks that a run resumed in the middle of an epoch has a sampler exactly if that epoch had one.
 */
function checkSameKind(where: string, {sampler, initialState}: FitOptions): void {
  if (!initialState || initialState.batch === 0) return;
  const {sampler: saved, epoch} = initialState;
  if ((saved === undefined) === (sampler === undefined)) return;
  const constraint = saved === undefined ? 'be left out' : 'be given';
  const remedy = 'Add or remove a sampler only between two epochs; it cannot be replaced.';
  throw typeError(where, 'sampler', `${constraint}, as in epoch ${epoch} of initialState`, sampler, remedy);
}

/** Returns the saved data of a sampler. In a loop of calls, data of another size start it over. */
function savedFor(task: SamplerTask, known: unknown, isAsked: boolean): SavedSampler | undefined {
  const {where, size} = task;
  const {size: before} = Object(known) as Partial<SavedSampler>;
  if (isAsked || before === size) return savedSampler(where, task, known);
  console.warn(
    `${where}: the data have ${size} rows, but ${before} in the last call for this model, so the scores and state of the ` +
      'sampler start over.',
  );
  return undefined;
}

/**
 * Rescores the rows due at the end of an epoch, and counts them; only once, because a run may
 * resume here.
 */
export async function scoreAtEnd(
  {rows, scored, source}: Sampling,
  state: TrainingState,
  {isTimed, ...pauses}: Pauses & {isTimed: boolean},
): Promise<void> {
  const began = performance.now();
  const rescore = rows.toScore();
  if (rows.current().rescored !== undefined) return;
  if (rescore.length > 0) await scored.rescore(source, state, rescore, pauses);
  if (pauses.isStopped()) return;
  rows.current().rescored = rescore.length;
  state.spent.rows += rescore.length;
  if (isTimed) state.spent.seconds += (performance.now() - began) / 1000;
}

/** Returns the logs that a sampler adds to an epoch. */
export function samplerLogs(sampling: Sampling | undefined, rows: number): Logs {
  return sampling ? {rows, rescored: sampling.rows.current().rescored ?? 0} : {};
}
