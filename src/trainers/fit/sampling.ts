/** @file A sampler in a run: what it goes on from, and what an epoch with it does beside the steps. */

import type {Logs} from '@tensorflow/tfjs-layers';
import {typeError} from '../../checks';
import type {BatchSource} from '../../data/batchSource';
import type {TrainingState} from '../checkpoint/trainingState';
import type {StepSettings} from '../step/options';
import {samplerLeft} from './continuation';
import type {FitOptions} from './fitOptions';
import {type Pauses, type ScoredRows, scoredRows} from './rowScores';
import {type RowsOfEpoch, rowsOfEpoch, type SamplerTask, type SavedSampler, savedSampler} from './rowsOfEpoch';

/** The logs of an epoch that only a sampler gives. */
export const SAMPLER_LOGS = ['rows', 'rescored'];

/** A sampler in a run. */
export interface Sampling {
  rows: RowsOfEpoch;
  scored: ScoredRows;
  source: BatchSource;
}

/** What a run is about, as far as a sampler goes. */
export interface SampledRun {
  options: FitOptions;
  training: BatchSource;
  seed: number | string;
  isShuffled: boolean;
}

/** Puts a sampler into a run, where it goes on if the run does; undefined without one. */
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

/** Refuses to go on in the middle of an epoch whose rows were chosen in another way. */
function checkSameKind(where: string, {sampler, initialState}: FitOptions): void {
  if (!initialState || initialState.batch === 0) return;
  const {sampler: saved, epoch} = initialState;
  if ((saved === undefined) === (sampler === undefined)) return;
  const constraint = saved === undefined ? 'be left out' : 'be given';
  const remedy = 'A sampler may be added or left out between two epochs, and not replaced by another.';
  throw typeError(where, 'sampler', `${constraint}, as in epoch ${epoch} of initialState`, sampler, remedy);
}

/** What was saved of a sampler. In a loop of calls, one of other data begins anew. */
function savedFor(task: SamplerTask, known: unknown, isAsked: boolean): SavedSampler | undefined {
  const {where, size} = task;
  const {size: before} = Object(known) as Partial<SavedSampler>;
  if (isAsked || before === size) return savedSampler(where, task, known);
  console.warn(
    `${where}: the data have ${size} rows, and ${before} in the last call for this model, so what the sampler knows of ` +
      'the rows begins anew.',
  );
  return undefined;
}

/** Runs the rows forward that are to be scored at the end of an epoch, and counts them. Once: it may be resumed here. */
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

/** The logs of an epoch that a sampler adds. */
export function samplerLogs(sampling: Sampling | undefined, rows: number): Logs {
  return sampling ? {rows, rescored: sampling.rows.current().rescored ?? 0} : {};
}
