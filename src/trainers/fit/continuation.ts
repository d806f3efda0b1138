/**
 * @file Where a run starts: at a saved state, or where the last call with the same model and
 * optimizer ended.
 */

import type {Optimizer} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {rangeError} from '../../checks';
import type {Sampler, Selector} from '../../types';
import type {TrainingState} from '../checkpoint/trainingState';
import type {StepSettings} from '../step/options';
import {type EpochTotals, noTotals} from './epochs';

/** Key in the history of the model under which a call leaves its state for the next. */
const LEFT = Symbol('left');

interface Left {
  optimizer: Optimizer;
  select: Selector;
  sampler: Sampler | undefined;
  state: TrainingState;
  /** The history of the model inside a `tf.sequential`, to which `fit` writes. */
  fitted: unknown;
}

const fittedIn = (model: LayersModel) => (model as {model?: LayersModel}).model?.history;

/** Stores in `model.history` where a run ended. */
export function leave(
  {model, optimizer, select}: StepSettings,
  sampler: Sampler | undefined,
  state: TrainingState,
): void {
  const left: Left = {optimizer, select, sampler, state, fitted: fittedIn(model)};
  Object.defineProperty(model.history, LEFT, {value: left});
}

/** Returns where the last call with this model ended, if no other trainer has trained it since. */
export function leftIn(model: LayersModel): Left | undefined {
  const left = (model.history as {[LEFT]?: Left} | undefined)?.[LEFT];
  return left?.fitted === fittedIn(model) ? left : undefined;
}

/**
 * Starts a run where the last call with the same model and optimizer ended. A loop over
 * `fitOhem({epochs: 1})` draws, shuffles and schedules like a single call. After a call that ended
 * within an epoch, the order of the next epoch follows. A different selector with a schedule or
 * memory starts over, with a warning.
 */
export function goOn({where, model, optimizer, select}: StepSettings, first: TrainingState): TrainingState {
  const left = leftIn(model);
  if (left?.optimizer !== optimizer) return first;
  const {step, updates, epoch, batch, earlier, schedule, memory} = left.state;
  // An epoch that ended early counts, or this call would repeat its rows.
  const epochs = epoch + earlier + (batch > 0 ? 1 : 0);
  const begun = {...first, earlier: epochs - first.epoch};
  const gone = {...begun, step, updates, earlierSteps: step};
  if (left.select === select) {
    return {...gone, ...(schedule !== undefined && {schedule}), ...(memory && {memory})};
  }
  const hasState = ({schedule: keeps, remember}: Selector) => keeps !== undefined || remember !== undefined;
  if (!hasState(select)) return gone;
  if (hasState(left.select)) {
    console.warn(
      `${where}: select differs from the selector of the last call for this model, so its schedule and memory start ` +
        'over. Build it once, before the loop, to keep them.',
    );
  }
  return begun;
}

/**
 * Returns the sampler's data of the last call with the same model and optimizer, if this call uses
 * the same sampler.
 */
export function samplerLeft({where, model, optimizer}: StepSettings, sampler: Sampler): unknown {
  const left = leftIn(model);
  if (left?.optimizer !== optimizer || !left.sampler) return undefined;
  if (left.sampler === sampler) return left.state.sampler;
  console.warn(
    `${where}: sampler differs from that of the last call for this model, so its scores and state start over. ` +
      'Build it once, before the loop, to keep them.',
  );
  return undefined;
}

/** Starts a run at a saved state. Values that an earlier version did not save are filled in. */
export function resumeAt(first: TrainingState, given: Partial<TrainingState>): TrainingState {
  const {epoch = 0, step = 0, totals} = given;
  const {rows, sums}: EpochTotals = {...noTotals(), ...totals};
  const rowsEach = Object.fromEntries(Object.keys(sums).map((name) => [name, name === 'kept' ? 1 : rows]));
  const {steps = rows > 0 ? 1 : 0, counts = rowsEach} = (totals ?? {}) as Partial<EpochTotals>;
  const own = {totals: {rows, steps, sums: {...sums}, counts: {...counts}}, spent: {...first.spent, ...given.spent}};
  return {...first, begun: epoch, updates: step, ...given, ...own};
}

/**
 * Checks that an epoch in progress continues on the batches that it began with: other sizes would
 * repeat some rows and leave out others.
 *
 * @param now  the data of this run, and the rows of the epoch.
 */
export function checkResumed(
  where: string,
  {batch, totals, samples: before}: TrainingState,
  now: {samples?: number | undefined; batchSize?: number | undefined; ofEpoch?: number | undefined},
): void {
  const {samples, batchSize, ofEpoch = samples} = now;
  if (batch === 0) return;
  const remedy = 'An epoch that has begun must end on the same batches.';
  if (before !== undefined && samples !== undefined && samples !== before) {
    throw rangeError(where, 'rows', `be as many as in initialState, ${before}`, samples, remedy);
  }
  // The last batch may be smaller, but nothing comes after it.
  const isAtEnd = totals.rows === ofEpoch;
  if (batchSize === undefined || isAtEnd || totals.rows === batch * batchSize) return;
  throw rangeError(where, 'batchSize', `be ${totals.rows / batch}, as in initialState`, batchSize, remedy);
}
