import type {LayersModel, ModelFitArgs} from '@tensorflow/tfjs-layers';
import {checkCount, checkOneOf, checkOptionNames, checkWhole, rangeError, typeError} from '../../checks';
import type {ClassWeights} from '../../data/classWeights';
import {readyModel} from '../../models/model';
import type {Ledger} from '../../types';
import {checkState, type TrainingState} from '../checkpoint/trainingState';
import {type OhemStepOptions, STEP_OPTIONS} from '../step/options';
import type {FitCallback, YieldEvery} from './callbacks';

/** What both trainers take: the options of `ohemStep`, and those that tfjs's `fit` and `fitDataset` have in common. */
export interface FitOptions extends OhemStepOptions {
  /** The epoch to end before. Default 1. */
  epochs?: number;
  /** The epoch to begin with. Default 0. */
  initialEpoch?: number;
  /** 1 (default): shows progress in Node; 0: shows nothing. */
  verbose?: NonNullable<ModelFitArgs['verbose']>;
  /** Plain objects and instances of callback classes, in any mixture. */
  callbacks?: FitCallback | FitCallback[];
  /** How often others have their turn. Default `'auto'`, every 125 ms. */
  yieldEvery?: YieldEvery;
  /** What the rows of each class count, `{0: 1, 1: 5}`; applied before selection. */
  classWeight?: ClassWeights;
  /** What the order of the rows comes from: same seed, same order, on every backend. Default: another one each time. */
  seed?: number | string;
  /** At the end, go back to the weights of the best epoch: by `val_loss` (else `loss`), or by the log of this name. Default false. */
  restoreBestWeights?: boolean | string;
  /** Takes note of which rows were mined: a `miningLedger`, or your own. Only for rows, not for `granularity: 'element'`. */
  ledger?: Ledger;
  /** Ends the training after the step that is under way, to be resumed or not: the best weights are not restored. */
  signal?: AbortSignal;
  /** Where to go on: what `resumeTraining` returned, or the `state` of an earlier history. */
  initialState?: TrainingState | undefined;
  /** Is handed the state of the training, to save it: `(state) => saveTraining(target, model, state)`. */
  checkpoint?: (state: TrainingState) => unknown;
  /** After every epoch (the default), or so many steps. */
  checkpointEvery?: 'epoch' | number;
}

const NAMES = [
  ...['epochs', 'initialEpoch', 'verbose', 'callbacks', 'yieldEvery', 'classWeight', 'seed', 'restoreBestWeights'],
  ...['ledger', 'signal', 'initialState', 'checkpoint', 'checkpointEvery'],
];

/** Checks the options that both trainers have; `others` are those that only one of them has. */
export function checkFitOptions(
  where: string,
  model: LayersModel,
  options: FitOptions,
  others: readonly string[],
): void {
  readyModel(where, model);
  checkOptionNames(where, options, [...STEP_OPTIONS, ...NAMES, ...others]);
  const {epochs = 1, initialEpoch, verbose = 1, yieldEvery = 'auto', initialState, checkpointEvery = 'epoch'} = options;
  const {ledger, granularity} = options;
  checkCount(where, 'epochs', epochs);
  if (initialEpoch !== undefined) checkWhole(where, 'initialEpoch', initialEpoch);
  checkOneOf(where, 'verbose', String(verbose), ['0', '1', '2']);
  if (typeof yieldEvery !== 'number') checkOneOf(where, 'yieldEvery', yieldEvery, ['auto', 'batch', 'epoch', 'never']);
  if (checkpointEvery !== 'epoch') checkCount(where, 'checkpointEvery', checkpointEvery);
  if (ledger && granularity === 'element') {
    const remedy = 'Its rows are samples, which are mined by default.';
    throw typeError(where, 'ledger', 'be left out where elements are mined', ledger, remedy);
  }
  if (initialState === undefined) return;
  checkState(where, 'initialState', initialState);
  if (initialEpoch !== undefined) {
    throw typeError(where, 'initialEpoch', 'be left out with initialState, which says it', initialEpoch);
  }
  if (options.seed !== undefined && options.seed !== initialState.seed) {
    throw rangeError(where, 'seed', `be that of initialState, ${initialState.seed}`, options.seed);
  }
}

/** The seed of a training: as given, or another one each time. */
export function seedOf({seed, initialState}: FitOptions): number | string {
  return initialState?.seed ?? seed ?? Math.floor(Math.random() * 2 ** 32);
}

/** Those of the options that `ohemStep` takes. */
export function stepOptions(options: FitOptions): OhemStepOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => STEP_OPTIONS.includes(name)));
}
