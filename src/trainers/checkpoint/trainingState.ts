import {typeError} from '../../checks';
import type {Place} from '../../data/batchSource';
import type {KeepSchedule, Ledger} from '../../types';
import {type BestWeights, type EpochTotals, NO_TOTALS} from '../fit/epochs';
import {NOTHING_SPENT, type Spent} from '../fit/pace';
import type {SavedMemory, SelectorState} from '../step/selection';

/**
 * Where a training stands, as plain JSON: with the weights of the model and the slots of the optimizer as they were then, `initialState` lets another one
 * go on there, and end at the same weights.
 */
export interface TrainingState extends Place {
  /** The epoch that comes next, or is under way. */
  epoch: number;
  /** Batches of it that are done. */
  batch: number;
  /** Batches of all epochs that are done. */
  step: number;
  /** Updates of the weights: fewer than `step` if batches are accumulated. */
  updates: number;
  /** The epoch that the run began with. */
  begun: number;
  /** Epochs of earlier calls with the same model and optimizer, which this one goes on from. */
  earlier: number;
  /** Batches of the epoch before, for a dataset that does not know its length. */
  batchesBefore?: number;
  /** What the run has cost. */
  spent: Spent;
  /** What the order of the rows comes from. */
  seed: number | string;
  /** What the batches of this epoch have summed up to. */
  totals: EpochTotals;
  /** State of the selector's schedule, where it has one. */
  schedule?: unknown;
  /** What the selector remembers, where it does. */
  memory?: SavedMemory;
  /** The ledger, where there is one: make one of it for the training that goes on. */
  ledger?: unknown;
  /** The best weights so far, where they are to be restored. */
  best?: BestWeights;
}

/** The state at the beginning of a training. */
export function firstState(epoch: number, seed: number | string, schedule: KeepSchedule | undefined): TrainingState {
  const counts = {epoch, batch: 0, step: 0, updates: 0, begun: epoch, earlier: 0};
  return {...counts, seed, totals: NO_TOTALS, spent: NOTHING_SPENT, ...(schedule && {schedule: schedule.init()})};
}

/** The state as it is handed out: a copy that later steps leave alone. Reads once, where the selector remembers something. */
export async function handedOut(
  state: TrainingState,
  ledger: Ledger | undefined,
  memory: SelectorState,
): Promise<TrainingState> {
  const copy = {...state, ...(ledger && {ledger: ledger.toJSON()})};
  const remembered = await memory.save();
  return {...copy, ...(remembered && {memory: remembered})};
}

/** Refuses what cannot be the state of a training. */
export function checkState(where: string, argument: string, state: unknown): asserts state is TrainingState {
  const {epoch, batch, step, seed, totals, memory} = Object(state) as Partial<TrainingState>;
  const isWhole = [epoch, batch, step].every((count) => Number.isInteger(count) && (count as number) >= 0);
  const hasSeed = typeof seed === 'number' || typeof seed === 'string';
  const hasMemory = memory === undefined || Array.isArray(memory?.values);
  if (!(isWhole && hasSeed && hasMemory && typeof totals?.rows === 'number' && typeof totals.sums === 'object')) {
    throw typeError(where, argument, 'be the state of a training', state, 'Pass what resumeTraining returns.');
  }
}
