import type {LayersModel, ModelFitArgs} from '@tensorflow/tfjs-layers';
import {
  checkCount,
  checkFunction,
  checkNotNegative,
  checkOneOf,
  checkSeed,
  checkWhole,
  givenOptions,
  type Nullable,
  rangeError,
  typeError,
} from '../../checks';
import type {ClassWeights} from '../../data/classWeights';
import type {LearningRateSchedule, Ledger, Sampler, TrainingProgress} from '../../types';
import {checkState, type TrainingState} from '../checkpoint/trainingState';
import {type OhemStepOptions, STEP_OPTIONS} from '../step/options';
import type {FitCallback, YieldEvery} from './callbacks';
import {leftIn} from './continuation';
import {type Budget, checkBudget} from './pace';
import {checkSampler} from './samplerCheck';

/**
 * Computes the class weights of a step; null for 1 each. Pure: a resumed run has the same weights.
 */
export type ClassWeightSchedule = (at: TrainingProgress) => ClassWeights | null;

/**
 * Options of both trainers: those of `ohemStep`, and those that tfjs's `fit` and `fitDataset`
 * share.
 */
export interface FitOptions extends OhemStepOptions {
  /** Number of epochs, counted from epoch 0 as in `fit`. Default 1. */
  epochs?: number;
  /** The epoch to begin with. Default 0. */
  initialEpoch?: number;
  /** 1 shows progress in Node, 0 shows nothing. Default 1. */
  verbose?: NonNullable<ModelFitArgs['verbose']>;
  /** Plain objects and callback instances, in any mixture. */
  callbacks?: FitCallback | FitCallback[];
  /** How often to yield to the event loop. Default `'auto'`, every 125 ms. */
  yieldEvery?: YieldEvery;
  /**
   * Weights of the classes, `{0: 1, 1: 5}`, applied before selection. Or a function of
   * `{step, epoch, progress}` that returns them before each step.
   */
  classWeight?: ClassWeights | ClassWeightSchedule;
  /** Seed of the shuffling: the same order on every backend. Default: a random seed. */
  seed?: number | string;
  /**
   * Whether to restore the weights of the best epoch at the end: by `val_loss` (else `loss`), or by
   * the log of this name. Accuracy, precision, recall, AUC, F1, IoU and scores are better if
   * larger, all other logs if smaller, with a warning if the name does not show it. Default false.
   */
  restoreBestWeights?: boolean | string;
  /**
   * Records which rows were mined: a `miningLedger`, or your own. For rows only, not for
   * `granularity: 'element'`.
   */
  ledger?: Ledger;
  /**
   * Chooses the rows of each epoch: `infoBatch()`, `randomSubset({ratio: 0.5})`, or your own. All
   * other rows skip the forward pass too. Its weights multiply the loss as `sampleWeight` does. For
   * rows only, not for `granularity: 'element'`. Default: all rows.
   */
  sampler?: Sampler;
  /**
   * Ends the run after the step in progress, so that it can be resumed. The best weights are not
   * restored.
   */
  signal?: AbortSignal;
  /** State to resume from: what `resumeTraining` returned, or the `state` of an earlier history. */
  initialState?: TrainingState | undefined;
  /**
   * Called with the state of the run, to save it: `(state) => saveTraining(target, model, state)`.
   */
  checkpoint?: (state: TrainingState) => unknown;
  /**
   * How often to call `checkpoint`: after each epoch (the default), or after this many weight
   * updates.
   */
  checkpointEvery?: 'epoch' | number;
  /**
   * The learning rate, or a function of `{step, epoch, progress}` that returns it before each step,
   * such as `cosine(…)`. It is set on the optimizer, where it stays, and logged. Default: the rate
   * of the optimizer.
   */
  learningRate?: number | LearningRateSchedule;
  /** Limits of the run, which ends after the step that reaches one. Default: only `epochs`. */
  budget?: Budget;
}

const NAMES: Record<Exclude<keyof FitOptions, keyof OhemStepOptions>, true> = {
  ...{epochs: true, initialEpoch: true, verbose: true, callbacks: true, yieldEvery: true, classWeight: true},
  ...{seed: true, restoreBestWeights: true, ledger: true, sampler: true, signal: true, initialState: true},
  ...{checkpoint: true, checkpointEvery: true, learningRate: true, budget: true},
};

/** Where to pass what is no option of a trainer. */
const ELSEWHERE: Record<string, string> = {
  metrics: "Metrics are those of the model: model.compile({metrics: ['accuracy']}).",
  ...Object.fromEntries(
    ['valid', 'positive', 'group', 'reference', 'overlap', 'boxes'].map((name) => [
      name,
      `In fitOhem pass {context: {${name}}}; in a dataset give it with each batch.`,
    ]),
  ),
};

/**
 * Checks the options that both trainers share, and drops those that are null; `others` are those of
 * one trainer.
 */
export function fitOptions<T extends FitOptions>(
  where: string,
  given: Nullable<T> | null | undefined,
  others: Record<Exclude<keyof T, keyof FitOptions>, true>,
): T {
  const known = [...STEP_OPTIONS, ...Object.keys(NAMES), ...Object.keys(others)];
  const options = givenOptions<T>(where, given, known, ELSEWHERE);
  // JavaScript that was written for fit passes booleans.
  if (typeof options.verbose === 'boolean') options.verbose = options.verbose ? 1 : 0;
  checkNumbers(where, options);
  checkBudget(where, options.budget);
  checkParts(where, options);
  checkResumed(where, options);
  return options;
}

function checkNumbers(where: string, options: FitOptions): void {
  const {epochs = 1, initialEpoch = 0, verbose = 1, yieldEvery = 'auto', checkpointEvery = 'epoch', seed} = options;
  checkCount(where, 'epochs', epochs);
  checkWhole(where, 'initialEpoch', initialEpoch);
  if (initialEpoch >= epochs) {
    const remedy = 'Epochs are counted from 0, and the run ends before epoch number epochs.';
    throw rangeError(where, 'initialEpoch', `be less than epochs, ${epochs}`, initialEpoch, remedy);
  }
  if (![0, 1, 2].includes(verbose)) throw rangeError(where, 'verbose', 'be one of 0, 1, 2', verbose);
  if (typeof yieldEvery === 'number') checkNotNegative(where, 'yieldEvery', yieldEvery);
  else checkOneOf(where, 'yieldEvery', yieldEvery, ['auto', 'batch', 'epoch', 'never']);
  if (checkpointEvery !== 'epoch') checkCount(where, 'checkpointEvery', checkpointEvery);
  if (seed !== undefined) checkSeed(where, seed);
}

function checkParts(where: string, options: FitOptions): void {
  const {checkpoint, signal, ledger, restoreBestWeights = false, classWeight = {}} = options;
  if (checkpoint !== undefined) {
    const remedy = 'Pass (state) => saveTraining(target, model, state).';
    checkFunction(where, 'checkpoint', 'be a function', checkpoint, remedy);
  }
  if (signal !== undefined && typeof Object(signal).aborted !== 'boolean') {
    throw typeError(where, 'signal', 'be an AbortSignal', signal, 'Pass controller.signal of an AbortController.');
  }
  if (!['boolean', 'string'].includes(typeof restoreBestWeights)) {
    throw typeError(where, 'restoreBestWeights', 'be a boolean or the name of a log', restoreBestWeights);
  }
  if (typeof classWeight !== 'object' && typeof classWeight !== 'function')
    throw typeError(where, 'classWeight', 'be a record like {0: 1, 1: 5}', classWeight);
  if (options.dynamics !== undefined) {
    const remedy = 'Pass {ledger: miningLedger(rows, {dynamics: true})}.';
    throw typeError(where, 'dynamics', 'be left out: the ledger decides', options.dynamics, remedy);
  }
  checkOfRows(where, options);
  if (ledger === undefined) return;
  if (![ledger.record, ledger.toJSON].every((method) => typeof method === 'function')) {
    const remedy = 'Pass miningLedger(rows).';
    throw typeError(where, 'ledger', 'have the methods record and toJSON', ledger, remedy);
  }
  if (ledger.size !== undefined) checkWhole(where, 'ledger.size', ledger.size);
}

/** Checks a sampler, and that neither it nor a ledger is combined with elements. */
function checkOfRows(where: string, {ledger, sampler, granularity}: FitOptions): void {
  if (sampler !== undefined) checkSampler(where, sampler);
  if (granularity !== 'element') return;
  for (const [argument, given] of Object.entries({ledger, sampler})) {
    const remedy = "It counts samples: use granularity 'sample', the default.";
    if (given !== undefined) throw typeError(where, argument, 'be left out if elements are mined', given, remedy);
  }
}

function checkResumed(where: string, {initialState, initialEpoch, seed}: FitOptions): void {
  if (initialState === undefined) return;
  checkState(where, 'initialState', initialState);
  if (initialEpoch !== undefined) {
    throw typeError(where, 'initialEpoch', 'be left out with initialState, which has the epoch', initialEpoch);
  }
  // A number and its text shuffle alike.
  if (seed !== undefined && String(seed) !== String(initialState.seed)) {
    throw rangeError(where, 'seed', `be that of initialState, ${initialState.seed}`, seed);
  }
}

/** Returns the seed of a run: as given, that of the call it continues, or a random one. */
export function seedOf({seed, initialState}: FitOptions, model: LayersModel): number | string {
  return initialState?.seed ?? seed ?? leftIn(model)?.state.seed ?? Math.floor(Math.random() * 2 ** 32);
}

/** Selects the options that `ohemStep` takes, and adds those that the ledger needs. */
export function stepOptions(options: FitOptions): OhemStepOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([name]) => STEP_OPTIONS.includes(name)));
  const dynamics = options.ledger?.dynamics;
  return dynamics ? {...given, dynamics} : given;
}
