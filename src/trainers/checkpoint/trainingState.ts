import {rangeError, typeError} from '../../checks';
import type {Place} from '../../data/batchSource';
import type {KeepSchedule, Ledger} from '../../types';
import {type BestWeights, type EpochTotals, noTotals} from '../fit/epochs';
import {NOTHING_SPENT, type Spent} from '../fit/pace';
import type {SavedMemory, SelectorState} from '../step/selection';

/**
 * Progress of a training run, as plain data. With the weights and the optimizer of the same moment,
 * a new run can resume from it by `initialState` and reach bit-identical weights. Additional fields
 * are saved and restored unchanged.
 */
export interface TrainingState extends Place {
  /** The epoch in progress, or the next one. */
  epoch: number;
  /** Batches completed in that epoch. */
  batch: number;
  /** Batches completed in all, including earlier calls that this run continues. */
  step: number;
  /** Weight updates so far: fewer than `step` if batches are accumulated. */
  updates: number;
  /** The epoch at which the run began. */
  begun: number;
  /** Epochs that earlier calls, which this run continues, completed or ended early. */
  earlier: number;
  /** Batches completed by those earlier calls. */
  earlierSteps: number;
  /** Rows of the data, if known: an epoch in progress can only continue on as many. */
  samples?: number;
  /** Batches in the previous epoch, for a dataset of unknown length. */
  batchesBefore?: number;
  /** Rows and seconds spent so far. */
  spent: Spent;
  /** Seed of the shuffling. */
  seed: number | string;
  /** Sums over the batches of the epoch. */
  totals: EpochTotals;
  /** State of the selector's schedule, if it has one. */
  schedule?: unknown;
  /** Memory of the selector, if it has one. */
  memory?: SavedMemory;
  /**
   * The ledger as JSON, if there is one. Pass `miningLedger.fromJSON(state.ledger)` to the new run.
   */
  ledger?: unknown;
  /**
   * Data of the sampler, if there is one, as plain JSON: its state, the scores of all rows, and the
   * rows of the epoch.
   */
  sampler?: unknown;
  /** The best weights so far, if `restoreBestWeights` is set. */
  best?: BestWeights;
}

/** Returns the state at the start of a training run. */
export function firstState(epoch: number, seed: number | string, schedule: KeepSchedule | undefined): TrainingState {
  const counts = {epoch, batch: 0, step: 0, updates: 0, begun: epoch, earlier: 0, earlierSteps: 0};
  return {...counts, seed, totals: noTotals(), spent: {...NOTHING_SPENT}, ...(schedule && {schedule: schedule.init()})};
}

/**
 * Copies the state, so that later steps leave the copy unchanged. Reads once if the selector has a
 * memory.
 */
export async function handedOut(
  state: TrainingState,
  ledger: Ledger | undefined,
  memory: SelectorState,
  sampled?: {save(): unknown},
): Promise<TrainingState> {
  const {sums, counts} = state.totals;
  const totals = {...state.totals, sums: {...sums}, counts: {...counts}};
  const ofRows = {...(ledger && {ledger: ledger.toJSON()}), ...(sampled && {sampler: sampled.save()})};
  const copy = {...state, totals, spent: {...state.spent}, ...ofRows};
  const remembered = await memory.save();
  return {...copy, ...(remembered && {memory: remembered})};
}

/** The dtypes that a selector's memory may have. */
const MEMORY: readonly unknown[] = ['float32', 'int32', 'bool'];

/** NaN and infinities are saved as text. */
const isNumeral = (value: unknown) =>
  typeof value === 'number' || ['NaN', 'Infinity', '-Infinity'].includes(`${value}`);

/** Checks that a value is the state of a training run. */
export function checkState(where: string, argument: string, state: unknown): asserts state is TrainingState {
  const {epoch, batch, step, seed, totals, memory, best, ...others} = Object(state) as Partial<TrainingState>;
  const isWhole = [epoch, batch, step].every((count) => Number.isSafeInteger(count) && (count as number) >= 0);
  const hasSeed = typeof seed === 'number' || typeof seed === 'string';
  const hasMemory = memory === undefined || (MEMORY.includes(memory?.dtype) && memory.values?.every?.(isNumeral));
  const hasBest = best === undefined || (Array.isArray(best?.weights) && best.weights.every(Array.isArray));
  const hasTotals = typeof totals?.rows === 'number' && typeof totals.sums === 'object' && totals.sums !== null;
  if (!(isWhole && hasSeed && hasMemory && hasBest && hasTotals)) {
    throw typeError(where, argument, 'be the state of a training run', state, 'Pass what resumeTraining returns.');
  }
  if (typeof seed === 'number' && !Number.isFinite(seed)) {
    throw rangeError(where, `seed of ${argument}`, 'be a finite number or a text', seed);
  }
  // Earlier versions saved neither counts nor costs.
  const {updates = 0, begun = 0, earlier = 0, spent = {}} = others;
  checkNumbers(where, `counts of ${argument}`, [updates, begun, earlier, ...Object.values(totals.counts ?? {})]);
  checkNumbers(where, `spent of ${argument}`, Object.values(spent));
  checkNumbers(where, `totals.sums of ${argument}`, Object.values(totals.sums));
  if (!best) return;
  checkNumbers(where, `best.value of ${argument}`, [best.value]);
  for (const weights of best.weights) checkNumbers(where, `best.weights of ${argument}`, weights);
}

/** Checks for numbers: JSON turns NaN and infinities into null, and null adds 0 to a sum. */
function checkNumbers(where: string, argument: string, values: readonly unknown[]): void {
  const place = values.findIndex((value) => typeof value !== 'number');
  if (place < 0) return;
  const remedy = 'JSON has no NaN and no infinity: save the state by saveTraining.';
  throw typeError(where, argument, 'hold numbers', values[place], remedy);
}
