import {rangeError, typeError} from '../../checks';
import type {Place} from '../../data/batchSource';
import type {KeepSchedule, Ledger} from '../../types';
import {type BestWeights, type EpochTotals, noTotals} from '../fit/epochs';
import {NOTHING_SPENT, type Spent} from '../fit/pace';
import type {SavedMemory, SelectorState} from '../step/selection';

/**
 * Progress of a training run, as plain data. Together with the weights and the optimizer of that moment
 * it lets a new run resume by `initialState`, and end at the same weights. Further fields are saved and
 * restored as they are.
 */
export interface TrainingState extends Place {
  /** The epoch that comes next, or is under way. */
  epoch: number;
  /** Batches of that epoch that are done. */
  batch: number;
  /** Batches that are done, also by earlier calls with the same model and optimizer, which this one goes on from. */
  step: number;
  /** Updates of the weights: fewer than `step` if batches are accumulated. */
  updates: number;
  /** The epoch that the run began with. */
  begun: number;
  /** Epochs of those earlier calls. */
  earlier: number;
  /** Batches of those earlier calls. */
  earlierSteps: number;
  /** Batches of the epoch before, for a dataset that does not know its length. */
  batchesBefore?: number;
  /** What the run has cost. */
  spent: Spent;
  /** Seed of the order of the rows. */
  seed: number | string;
  /** Sums over the batches of this epoch. */
  totals: EpochTotals;
  /** State of the schedule of the selector, if it has one. */
  schedule?: unknown;
  /** Memory of the selector, if it has one. */
  memory?: SavedMemory;
  /** The ledger as JSON, if there is one: pass `miningLedger.fromJSON(state.ledger)` to the new run. */
  ledger?: unknown;
  /** What the sampler knows, if there is one, as plain JSON: its state, the scores of all rows, and the rows of the epoch. */
  sampler?: unknown;
  /** The best weights so far, if they are to be restored at the end. */
  best?: BestWeights;
}

/** The state at the beginning of a training. */
export function firstState(epoch: number, seed: number | string, schedule: KeepSchedule | undefined): TrainingState {
  const counts = {epoch, batch: 0, step: 0, updates: 0, begun: epoch, earlier: 0, earlierSteps: 0};
  return {...counts, seed, totals: noTotals(), spent: {...NOTHING_SPENT}, ...(schedule && {schedule: schedule.init()})};
}

/** A copy of the state that later steps do not change. Reads once if the selector has a memory. */
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

/** The types of what a selector remembers. */
const MEMORY: readonly unknown[] = ['float32', 'int32', 'bool'];

/** Numbers that JSON does not have are texts. */
const isNumeral = (value: unknown) =>
  typeof value === 'number' || ['NaN', 'Infinity', '-Infinity'].includes(`${value}`);

/** Checks that something is the state of a training run. */
export function checkState(where: string, argument: string, state: unknown): asserts state is TrainingState {
  const {epoch, batch, step, seed, totals, memory, best, ...others} = Object(state) as Partial<TrainingState>;
  const isWhole = [epoch, batch, step].every((count) => Number.isSafeInteger(count) && (count as number) >= 0);
  const hasSeed = typeof seed === 'number' || typeof seed === 'string';
  const hasMemory = memory === undefined || (MEMORY.includes(memory?.dtype) && memory.values?.every?.(isNumeral));
  const hasBest = best === undefined || (Array.isArray(best?.weights) && best.weights.every(Array.isArray));
  const hasTotals = typeof totals?.rows === 'number' && typeof totals.sums === 'object' && totals.sums !== null;
  if (!(isWhole && hasSeed && hasMemory && hasBest && hasTotals)) {
    throw typeError(where, argument, 'be the state of a training', state, 'Pass what resumeTraining returns.');
  }
  if (typeof seed === 'number' && !Number.isFinite(seed)) {
    throw rangeError(where, `seed of ${argument}`, 'be a finite number or a text', seed);
  }
  // An earlier version saved no counts, and no costs.
  const {updates = 0, begun = 0, earlier = 0, spent = {}} = others;
  checkNumbers(where, `counts of ${argument}`, [updates, begun, earlier, ...Object.values(totals.counts ?? {})]);
  checkNumbers(where, `spent of ${argument}`, Object.values(spent));
  checkNumbers(where, `totals.sums of ${argument}`, Object.values(totals.sums));
  if (!best) return;
  checkNumbers(where, `best.value of ${argument}`, [best.value]);
  for (const weights of best.weights) checkNumbers(where, `best.weights of ${argument}`, weights);
}

/** JSON makes null of NaN and of infinities; as a sum, null counts 0. */
function checkNumbers(where: string, argument: string, values: readonly unknown[]): void {
  const place = values.findIndex((value) => typeof value !== 'number');
  if (place < 0) return;
  const remedy = 'JSON has no NaN and no infinity: save the state by saveTraining.';
  throw typeError(where, argument, 'hold numbers', values[place], remedy);
}
