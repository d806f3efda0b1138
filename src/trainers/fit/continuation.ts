/** @file Where a run goes on: from a saved state, or from where the last call with the same model and optimizer ended. */

import type {Optimizer} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import type {Sampler, Selector} from '../../types';
import type {TrainingState} from '../checkpoint/trainingState';
import type {StepSettings} from '../step/options';
import {type EpochTotals, noTotals} from './epochs';

/** What a call leaves behind in the history of the model, for the next one. */
const LEFT = Symbol('left');

interface Left {
  optimizer: Optimizer;
  select: Selector;
  sampler: Sampler | undefined;
  state: TrainingState;
  /** The history that `fit` had left: it writes that of the model inside of a `tf.sequential`. */
  fitted: unknown;
}

const fittedIn = (model: LayersModel) => (model as {model?: LayersModel}).model?.history;

/** Leaves behind where a run ended. */
export function leave(
  {model, optimizer, select}: StepSettings,
  sampler: Sampler | undefined,
  state: TrainingState,
): void {
  const left: Left = {optimizer, select, sampler, state, fitted: fittedIn(model)};
  Object.defineProperty(model.history, LEFT, {value: left});
}

/** Where the last call with this model ended, if nothing but this trainer has trained it since. */
export function leftIn(model: LayersModel): Left | undefined {
  const left = (model.history as {[LEFT]?: Left} | undefined)?.[LEFT];
  return left?.fitted === fittedIn(model) ? left : undefined;
}

/**
 * Begins a run where the last call with the same model and optimizer ended: `fitOhem({epochs: 1})` in a loop draws,
 * shuffles and schedules as one call would. Another selector with a schedule or a memory begins anew, which is said.
 */
export function goOn({where, model, optimizer, select}: StepSettings, first: TrainingState): TrainingState {
  const left = leftIn(model);
  if (left?.optimizer !== optimizer) return first;
  const {step, updates, epoch, earlier, schedule, memory} = left.state;
  const begun = {...first, earlier: epoch + earlier - first.epoch};
  const gone = {...begun, step, updates, earlierSteps: step};
  if (left.select === select) {
    return {...gone, ...(schedule !== undefined && {schedule}), ...(memory && {memory})};
  }
  const hasState = ({schedule: keeps, remember}: Selector) => keeps !== undefined || remember !== undefined;
  if (!hasState(select)) return gone;
  if (hasState(left.select)) {
    console.warn(
      `${where}: select is another selector than in the last call for this model, so its schedule and what it remembers ` +
        'begin anew. Build it once, before the loop, to go on with them.',
    );
  }
  return begun;
}

/** What the sampler of the last call with the same model and optimizer knew, if this call has it too. */
export function samplerLeft({where, model, optimizer}: StepSettings, sampler: Sampler): unknown {
  const left = leftIn(model);
  if (left?.optimizer !== optimizer || !left.sampler) return undefined;
  if (left.sampler === sampler) return left.state.sampler;
  console.warn(
    `${where}: sampler is another one than in the last call for this model, so what it knows of the rows begins anew. ` +
      'Build it once, before the loop, to go on with it.',
  );
  return undefined;
}

/** Begins a run at a saved state. One of an earlier version lacks what was not counted then. */
export function resumeAt(first: TrainingState, given: Partial<TrainingState>): TrainingState {
  const {epoch = 0, step = 0, totals} = given;
  const {rows, sums}: EpochTotals = {...noTotals(), ...totals};
  const rowsEach = Object.fromEntries(Object.keys(sums).map((name) => [name, name === 'kept' ? 1 : rows]));
  const {steps = rows > 0 ? 1 : 0, counts = rowsEach} = (totals ?? {}) as Partial<EpochTotals>;
  const own = {totals: {rows, steps, sums: {...sums}, counts: {...counts}}, spent: {...first.spent, ...given.spent}};
  return {...first, begun: epoch, updates: step, ...given, ...own};
}
