import type {Tensor} from '@tensorflow/tfjs-core';
import {type CallbackList, History, type LayersModel, type Logs} from '@tensorflow/tfjs-layers';
import {rangeError, typeError, wrongValueOf} from '../../checks';
import type {BatchSource, TrainingBatch} from '../../data/batchSource';
import {lock} from '../../models/lock';
import type {TrainingProgress} from '../../types';
import {checkScheduleState} from '../checkpoint/scheduleState';
import {firstState, handedOut, type TrainingState} from '../checkpoint/trainingState';
import {type Stepper, stepper} from '../ohemStep';
import {type StepSettings, stepSettings} from '../step/options';
import {type SelectorState, selectorState} from '../step/selection';
import {type CallbackInstance, callbackList, pacer, progressLine} from './callbacks';
import {checkResumed, goOn, leave, resumeAt} from './continuation';
import {
  addBatch,
  type BestWeights,
  better,
  checkBest,
  epochLogs,
  monitored,
  noTotals,
  restoreWeights,
  seemFinite,
} from './epochs';
import {evaluator, validator} from './evaluation';
import {type FitOptions, stepOptions} from './fitOptions';
import {type BatchOptions, minedStep, nonFiniteWatch, type StepFigures} from './minedStep';
import {checkLearningRate, progressOf, rateOf, setRate, spentShare} from './pace';
import {SAMPLER_LOGS, samplerLogs, samplingOf, scoreAtEnd} from './sampling';
import {shortEpochWatch} from './shortEpochWatch';
import {spreadWatch} from './spreadWatch';

/** A history of tfjs, with the final state of the training run. */
export interface OhemHistory extends History {
  /** The logs of each epoch, by name, as numbers. */
  history: Record<string, number[]>;
  /** Pass it as `initialState` to continue. */
  state: TrainingState;
}

/** The arguments of a training run. */
export interface FitTask {
  where: string;
  model: LayersModel;
  options: FitOptions;
  seed: number | string;
  training: BatchSource;
  validation?: BatchSource | undefined;
  batchSize?: number;
  /** Whether rows chosen by a sampler are shuffled. */
  isShuffled?: boolean;
}

/** Trains a model batch by batch: the loop of `fitOhem` and `fitOhemDataset`. */
export async function train(task: FitTask): Promise<OhemHistory> {
  let unlock: (() => void) | undefined;
  let state: SelectorState | undefined;
  let steps: Stepper | undefined;
  const held: Tensor[] = [];
  try {
    unlock = lock(task.where, task.model);
    const settings = stepSettings(task.where, task.model, stepOptions(task.options));
    state = selectorState(task.where, settings.select);
    steps = stepper(settings, state);
    return await trainAlone(task, {settings, memory: state, steps, held});
  } finally {
    unlock?.();
    state?.dispose();
    steps?.dispose();
    for (const tensor of held) tensor.dispose();
    await task.training.close();
    await task.validation?.close();
  }
}

interface Parts {
  settings: StepSettings;
  memory: SelectorState;
  steps: Stepper;
  /** Tensors to dispose at the end of the run. */
  held: Tensor[];
}

async function trainAlone(task: FitTask, parts: Parts): Promise<OhemHistory> {
  const run = await prepared(task, parts);
  const {model, history, callbacks, validation, pace, isAborted, isStopped} = run;
  model.history = history;
  await callbacks.onTrainBegin();
  for (const name of run.logNames) if (!name.startsWith('val_')) history.history[name] ??= [];
  model.stopTraining = false;
  try {
    while (run.state.epoch < run.epochs && !isStopped()) {
      await beginEpoch(run);
      const isWhole = await trainEpoch(run);
      if (isAborted()) break;
      if (isWhole) await checkAndScore(run);
      if (isAborted()) break;
      const validated = isWhole ? await validation?.run(isAborted, pace.afterBatch) : undefined;
      if (isAborted()) break;
      const ofRate = run.rate === undefined ? {} : {learningRate: run.rate};
      const ofRows = samplerLogs(run.sampling, run.state.totals.rows);
      await endEpoch(run, {...epochLogs(run.state.totals), ...ofRows, ...ofRate, ...validated}, isWhole);
    }
  } finally {
    run.sampling?.rows.restoreRate();
    run.sampling?.scored.dispose();
  }
  if (run.monitor !== undefined && run.state.best && !isAborted()) restoreWeights(model, run.state.best);
  await callbacks.onTrainEnd();
  history.state = await run.handedOut();
  leave(parts.settings, task.options.sampler, history.state);
  return history;
}

/** Begins an epoch, and lets the sampler choose its rows. */
async function beginEpoch({sampling, training, callbacks, params, settings, state, options}: Run): Promise<void> {
  sampling?.rows.begin(state);
  if (sampling) {
    const samples = sampling.rows.toTrainOn().rows.length;
    Object.assign(params, {samples, steps: training.batchesOf?.(samples)});
    callbacks.setParams(withoutUnknown(params) as Parameters<CallbackInstance['setParams']>[0]);
  }
  await callbacks.onEpochBegin(state.epoch);
  // A callback may have changed the rate.
  if (options.learningRate === undefined) sampling?.rows.scaleRate(settings.optimizer);
}

/** Checks that the epoch changed something, and rescores the rows due at its end. */
async function checkAndScore({watch, noteLength, state, sampling, options, isAborted, pace}: Run): Promise<void> {
  watch.epoch(state.totals, state.epoch);
  noteLength(state);
  const isTimed = options.budget?.seconds !== undefined;
  if (sampling) await scoreAtEnd(sampling, state, {isTimed, isStopped: isAborted, afterBatch: pace.afterBatch});
}

/** Returns the number of batches in the current epoch; undefined if unknown. */
function batchesIn({training, sampling}: ProgressingRun): number | undefined {
  return sampling ? training.batchesOf?.(sampling.rows.toTrainOn().rows.length) : training.batchesPerEpoch;
}

/** Whether the current epoch has no further batch, as far as is known. */
function isAtEnd({training, sampling, state}: Run): boolean {
  if (!sampling) return state.batch === training.batchesPerEpoch;
  const rows = sampling.rows.toTrainOn().rows.length;
  // For a dataset, count rows: the sizes of its further items are unknown.
  return training.batchesPerEpoch === undefined
    ? state.totals.rows === rows
    : state.batch === training.batchesOf?.(rows);
}

/** A training run: its parts, and its state, which changes with every step. */
type Run = Awaited<ReturnType<typeof prepared>>;

/** Builds the parts of a training run, and checks the validation data. */
async function prepared({options, seed, ...task}: FitTask, {settings, memory, steps: mining, held}: Parts) {
  const {where, model, training, batchSize, isShuffled = false} = task;
  const {epochs = 1, initialEpoch = 0, yieldEvery = 'auto', signal, budget} = options;
  const {ledger, classWeight, initialState, restoreBestWeights = false} = options;
  const {schedule} = settings.select;
  checkLearningRate(where, options.learningRate, settings.optimizer);
  checkAccumulate(settings, training);
  warnOfUnknownLength(where, options, training);
  const metrics = evaluator(settings);
  const validation = task.validation && validator(settings, metrics, task.validation, {name: heldOutBy(options), held});
  const logNames = namesOfLogs(options, metrics.names, validation !== undefined);
  const monitor = monitored(where, restoreBestWeights, logNames);
  const history = new History() as OhemHistory;
  const params: Record<string, unknown> = {
    ...{epochs, initialEpoch, samples: training.samples, steps: training.batchesPerEpoch, batchSize},
    ...{doValidation: validation !== undefined, metrics: logNames, verbose: options.verbose ?? 1},
  };
  const callbacks = runCallbacks({options, ...task}, history, params);
  await validation?.check();

  const begun = firstState(initialEpoch, seed, schedule);
  const {sampler, ...state} = initialState ? resumeAt(begun, initialState) : goOn(settings, begun);
  if (initialState) checkScheduleState(where, schedule, state);
  const sampling = samplingOf(settings, {options, training, seed, isShuffled}, {...state, sampler});
  const startState = checkedStart(task, state, sampling);
  if (state.memory) memory.restore(state.memory);
  const isAborted = () => signal?.aborted === true;
  const run = {
    ...{where, model, training, epochs, options, schedule, validation, monitor, history, callbacks, isAborted},
    ...{state: startState, sampling, params, logNames},
    ...{settings, rate: options.learningRate === undefined ? undefined : latestRate(settings, sampling)},
    /** Whether batches wait for an update. Its rate is the one due before the first of them. */
    isPending: false,
    isStopped: () => isAborted() || model.stopTraining || spentShare(budget, run.state.spent) >= 1,
    mined: minedStep(
      settings,
      mining,
      {...metrics, evaluate: validation?.checkWith ?? metrics.evaluate},
      {ledger, scored: sampling?.scored},
    ),
    /** Adds the options of the run to those of a batch. */
    optionsOf(batch: TrainingBatch): BatchOptions {
      const due: BatchOptions = {...batch.options, step: selectionsIn(run)};
      if (schedule) due.schedule = run.state.schedule;
      const ofClasses = classWeight && dueWeights(run, classWeight);
      if (ofClasses) due.classWeight = ofClasses;
      return due;
    },
    watch: nonFiniteWatch(where, sampling !== undefined),
    noteSpread: spreadWatch(settings),
    noteLength: shortEpochWatch(settings),
    pace: pacer(yieldEvery),
    handedOut: () => handedOut(run.state, ledger, memory, sampling?.rows),
  };
  return run;
}

/** Lists the names of the logs of an epoch, in their order. */
function namesOfLogs({sampler, learningRate}: FitOptions, metrics: readonly string[], isValidated: boolean): string[] {
  return [
    ...['loss', 'batchLoss', 'kept'],
    ...(sampler ? SAMPLER_LOGS : []),
    ...metrics,
    ...(learningRate !== undefined ? ['learningRate'] : []),
    ...(isValidated ? ['loss', ...metrics].map((name) => `val_${name}`) : []),
  ];
}

/** Checks the state that a run starts at, and notes the size of the data in it. */
function checkedStart(
  {where, model, training: {samples}, batchSize}: Omit<FitTask, 'options' | 'seed'>,
  state: TrainingState,
  sampling: ReturnType<typeof samplingOf>,
): TrainingState {
  const ofEpoch = state.batch > 0 ? sampling?.rows.toTrainOn().rows.length : undefined;
  checkResumed(where, state, {samples, batchSize, ofEpoch});
  checkBest(where, model, state.best);
  return samples === undefined ? state : {...state, samples};
}

/** Returns the option that the validation rows come from. */
function heldOutBy(options: FitOptions & {validationData?: unknown}): string {
  return options.validationData === undefined ? 'validationSplit' : 'validationData';
}

function checkAccumulate({where, accumulate}: StepSettings, {batchesPerEpoch}: BatchSource): void {
  if (batchesPerEpoch === undefined || accumulate <= batchesPerEpoch) return;
  throw rangeError(where, 'accumulate', `be at most ${batchesPerEpoch}, the batches of an epoch`, accumulate);
}

/** Warns about a schedule without progress: a single epoch of unknown length. */
function warnOfUnknownLength(where: string, options: FitOptions, {batchesPerEpoch}: BatchSource): void {
  const {learningRate, budget, epochs = 1, initialEpoch = options.initialState?.begun ?? 0} = options;
  const isKnown = batchesPerEpoch !== undefined || options.sampler !== undefined;
  if (typeof learningRate !== 'function' || isKnown || budget || epochs - initialEpoch > 1) return;
  console.warn(
    `${where}: learningRate gets progress 0 in each step of this epoch, because the number of batches in the dataset is ` +
      'unknown. Pass batchesPerEpoch or a budget, or compute the rate from {step}.',
  );
}

/** Trains on the rest of the epoch; returns false if it was stopped before the end. */
async function trainEpoch(run: Run): Promise<boolean> {
  const batches = run.training.batches(run.state, run.sampling?.rows.toTrainOn());
  try {
    for (;;) {
      // Waits only if needed: for a small model each wait takes a noticeable share of the step.
      const pulled = batches.next();
      const {done, value: batch} = pulled instanceof Promise ? await pulled : pulled;
      if (done) break;
      const stopped = trainOnBatch(run, batch as TrainingBatch);
      if (!(stopped instanceof Promise ? await stopped : stopped)) continue;
      await batches.return();
      return isAtEnd(run);
    }
  } catch (error) {
    // As in `for await`, the first error counts.
    await Promise.resolve(batches.return()).catch(() => undefined);
    throw error;
  }
  const rest = await run.mined.flush();
  run.isPending = false;
  if (!rest) return true;
  noteStep(run, 0, rest);
  await saveIfDue(run);
  return true;
}

/** Trains on a batch; returns whether the run stops after it, as a promise only if it waits. */
function trainOnBatch(run: Run, batch: TrainingBatch): boolean | Promise<boolean> {
  // The history has no batch callbacks.
  if (run.callbacks.callbacks.length > 1) return trainAndTell(run, batch);
  const taken = trainOn(run, batch);
  return taken instanceof Promise ? taken.then((figures) => afterStep(run, figures)) : afterStep(run, taken);
}

/** Trains on a batch between its callbacks. */
async function trainAndTell(run: Run, batch: TrainingBatch): Promise<boolean> {
  const known = {batch: run.state.batch, size: batch.size};
  await run.callbacks.onBatchBegin(known.batch, {...known});
  const figures = await trainOn(run, batch);
  const ofRate = run.rate === undefined ? {} : {learningRate: run.rate};
  await run.callbacks.onBatchEnd(known.batch, {...known, ...figures.logs, ...ofRate});
  return afterStep(run, figures);
}

/** Saves a checkpoint and yields to the event loop, if due; returns whether the run stops. */
function afterStep(run: Run, {isPending}: StepFigures): boolean | Promise<boolean> {
  // Batches that are accumulated belong to the step in progress.
  if (isPending) return false;
  return isCheckpointDue(run) || run.pace.isDue() ? pausedAfterStep(run) : run.isStopped();
}

async function pausedAfterStep(run: Run): Promise<boolean> {
  await saveIfDue(run);
  await run.pace.afterBatch();
  return run.isStopped();
}

/** Takes a step; returns a promise only if it waits. */
function trainOn(run: Run, batch: TrainingBatch): StepFigures | Promise<StepFigures> {
  if (!run.isPending) setDueRate(run);
  // Timed only for a budget: a clock would make states differ between machines, and a call costs as
  // much as a kernel.
  const isTimed = run.options.budget?.seconds !== undefined;
  const began = isTimed ? performance.now() : 0;
  const noted = (figures: StepFigures) => {
    run.isPending = figures.isPending;
    if (isTimed) run.state.spent.seconds += (performance.now() - began) / 1000;
    noteStep(run, batch.size, figures);
    return figures;
  };
  try {
    const taken = run.mined.take(batch, run.optionsOf(batch));
    return taken instanceof Promise ? taken.then(noted) : noted(taken);
  } catch (error) {
    throw located(error, batch, run.state);
  }
}

/** Adds to an error about a value of a batch which row of the data has it. */
function located(error: unknown, {rows, size}: TrainingBatch, {epoch, batch}: TrainingState): unknown {
  const {argument = 'select', position = 0, of = 1} = wrongValueOf(error) ?? {};
  if (!(error instanceof Error) || argument === 'select') return error;
  const row = ArrayBuffer.isView(rows) ? rows[Math.floor((position * size) / of)] : undefined;
  error.message += ` It is in ${row === undefined ? '' : `row ${row} of the data, `}epoch ${epoch}, batch ${batch}.`;
  return error;
}

/** Sets the learning rate of the next step, if there is a schedule. */
function setDueRate(run: Run): void {
  const {where, settings, options, sampling} = run;
  const {learningRate} = options;
  if (learningRate === undefined) return;
  const due = setRate(where, learningRate, settings.optimizer, progressIn(run));
  sampling?.rows.scaleRate(settings.optimizer, due);
  run.rate = sampling?.rows.latestRate() ?? due;
}

/** Returns the rate of the latest step, for a run resumed in the middle of an epoch. */
function latestRate({optimizer}: StepSettings, sampling: ReturnType<typeof samplingOf>): number | undefined {
  return sampling?.rows.latestRate() ?? rateOf(optimizer);
}

/** Computes the progress of the run. */
function progressIn(run: ProgressingRun): TrainingProgress {
  const {options, epochs, state, sampling} = run;
  const batchesPerEpoch = batchesIn(run);
  // If items differ in size, the number of batches is unknown, but the number of rows is known.
  const rows = batchesPerEpoch === undefined ? sampling?.rows.toTrainOn().rows.length : undefined;
  const progress = progressOf(state, {epochs, budget: options.budget, batchesPerEpoch, rows});
  return {step: state.updates, epoch: state.epoch, progress};
}

/** The parts of a run from which progress is computed. */
interface ProgressingRun {
  options: FitOptions;
  training: BatchSource;
  sampling: ReturnType<typeof samplingOf>;
  epochs: number;
  state: TrainingState;
}

/** Returns the class weights of the next step. */
function dueWeights(run: ProgressingRun & {where: string}, weights: NonNullable<FitOptions['classWeight']>) {
  if (typeof weights !== 'function') return weights;
  const due = weights(progressIn(run));
  const isPromise = typeof Object(due).then === 'function';
  if (typeof due === 'object' && !isPromise) return due;
  const remedy = isPromise ? 'Await asynchronous work before the run.' : '';
  const got = isPromise ? 'a promise' : due;
  throw typeError(run.where, 'classWeight', 'return a record like {0: 1, 1: 5}', got, remedy);
}

/**
 * Advances the state of the run after a step; `rows` is 0 for a step without new rows. Changes it
 * in place: callers get copies.
 */
function noteStep(run: Run, rows: number, figures: StepFigures): void {
  const {schedule, settings, state} = run;
  run.watch.step(figures, state);
  run.noteSpread(figures, state);
  const isBatch = rows > 0;
  const {isPending} = figures;
  if (isBatch) {
    state.batch++;
    state.step++;
  }
  if (!isPending) state.updates++;
  addBatch(state.totals, rows, figures);
  state.spent.rows += rows;
  state.spent.backwardRows += figures.logs.kept as number;
  // Selection happens once per batch, or once per update.
  const isSelection = settings.selectOver === 'accumulated' ? !isPending : isBatch;
  if (schedule && isSelection) state.schedule = schedule.next(state.schedule, {step: selectionsIn(run)});
}

/** Returns the number of selections so far. */
function selectionsIn({settings, state}: {settings: StepSettings; state: TrainingState}): number {
  return settings.selectOver === 'accumulated' ? state.updates : state.step;
}

async function saveIfDue(run: Run): Promise<void> {
  if (isCheckpointDue(run)) await run.options.checkpoint?.(await run.handedOut());
}

function isCheckpointDue({options: {checkpointEvery = 'epoch'}, state}: Run): boolean {
  return checkpointEvery !== 'epoch' && state.updates % checkpointEvery === 0;
}

/** Ends an epoch with its logs. An epoch stopped early does not count as done. */
async function endEpoch(run: Run, logs: Logs, isWhole: boolean): Promise<void> {
  const {schedule} = run;
  const {checkpoint, checkpointEvery = 'epoch'} = run.options;
  const {epoch, step, batch} = run.state;
  const best = await bestAfter(run, logs);
  const {acc: accuracy} = logs;
  run.sampling?.rows.restoreRate();
  await run.callbacks.onEpochEnd(epoch, logs);
  run.state = {...run.state, ...(best && {best})};
  if (!isWhole) return;
  run.sampling?.rows.end(run.state, run.state.totals.rows, run.training.itemSizes?.());
  run.state = {...run.state, epoch: epoch + 1, batch: 0, batchesBefore: batch, totals: noTotals()};
  const at = {step, ...(accuracy !== undefined && {accuracy})};
  if (schedule) run.state = {...run.state, schedule: schedule.next(run.state.schedule, at)};
  if (checkpointEvery === 'epoch') await checkpoint?.(await run.handedOut());
  await run.pace.afterEpoch();
}

/** Returns the best weights after an epoch, and warns of weights that are not finite. */
async function bestAfter({model, monitor, watch, state}: Run, logs: Logs): Promise<BestWeights | undefined> {
  const {epoch, best} = state;
  const onOverflow = () => watch.weights(epoch);
  if (!seemFinite(model)) onOverflow();
  else if (monitor !== undefined) return better({model, monitor}, {epoch, logs, best}, onOverflow);
  return best;
}

/** Builds the callbacks of a run in order, with the parameters that tfjs passes. */
function runCallbacks(
  {where, model, options}: Pick<FitTask, 'where' | 'model' | 'options'>,
  history: History,
  params: Record<string, unknown>,
): CallbackList {
  const {callbacks: given = [], verbose = 1, yieldEvery = 'auto', epochs = 1} = options;
  const progress = verbose === 0 ? undefined : progressLine(epochs, () => params.steps as number | undefined);
  const callbacks = callbackList(where, given, {yieldEvery, verbose}, [...(progress ? [progress] : []), history]);
  callbacks.setModel(model);
  callbacks.setParams(withoutUnknown(params) as Parameters<CallbackInstance['setParams']>[0]);
  return callbacks;
}

/** Removes undefined parameters. */
function withoutUnknown<T extends object>(params: T): T {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)) as T;
}
