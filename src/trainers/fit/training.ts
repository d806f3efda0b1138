import {History, type LayersModel, type Logs} from '@tensorflow/tfjs-layers';
import {typeError} from '../../checks';
import type {BatchSource} from '../../data/batchSource';
import {firstState, handedOut, type TrainingState} from '../checkpoint/trainingState';
import {type Stepper, stepper} from '../ohemStep';
import {type StepSettings, stepSettings} from '../step/options';
import {type SelectorState, selectorState} from '../step/selection';
import {type CallbackInstance, callbackList, pacer, progressLine} from './callbacks';
import {addBatch, better, epochLogs, monitored, NO_TOTALS, restoreWeights} from './epochs';
import {evaluator, validator} from './evaluation';
import {type FitOptions, stepOptions} from './fitOptions';
import {minedStep, nonFiniteWatch} from './minedStep';

/** A history of tfjs, with the state in which the training ended. */
export interface OhemHistory extends History {
  /** What `initialState` takes, to go on. */
  state: TrainingState;
}

/** What a trainer is asked to do. */
export interface FitTask {
  where: string;
  model: LayersModel;
  options: FitOptions;
  seed: number | string;
  training: BatchSource;
  validation?: BatchSource | undefined;
  batchSize?: number;
}

/** Trains a model on one batch after the other: the loop of `fitOhem` and `fitOhemDataset`. */
export async function train(task: FitTask): Promise<OhemHistory> {
  const unlock = lock(task.where, task.model);
  let state: SelectorState | undefined;
  let steps: Stepper | undefined;
  try {
    const settings = stepSettings(task.where, task.model, stepOptions(task.options));
    state = selectorState(task.where, settings.select);
    steps = stepper(settings, state);
    return await trainAlone(task, {settings, memory: state, steps});
  } finally {
    unlock();
    state?.dispose();
    steps?.dispose();
    await task.training.close();
    await task.validation?.close();
  }
}

type Parts = {settings: StepSettings; memory: SelectorState; steps: Stepper};

async function trainAlone(task: FitTask, parts: Parts): Promise<OhemHistory> {
  const run = await prepared(task, parts);
  const {model, history, callbacks, validation, pace, isAborted, isStopped} = run;
  model.history = history;
  await callbacks.onTrainBegin();
  model.stopTraining = false;
  while (run.state.epoch < run.epochs && !isStopped()) {
    await callbacks.onEpochBegin(run.state.epoch);
    const isWhole = await trainEpoch(run);
    if (isAborted()) break;
    const validated = isWhole ? await validation?.run(isAborted, pace.afterBatch) : undefined;
    if (isAborted()) break;
    await endEpoch(run, {...epochLogs(run.state.totals), ...validated}, isWhole);
  }
  if (run.monitor !== undefined && run.state.best && !isAborted()) restoreWeights(model, run.state.best);
  await callbacks.onTrainEnd();
  history.state = await run.handedOut();
  return history;
}

/** A training run: its parts, and its state, which changes with every step. */
type Run = Awaited<ReturnType<typeof prepared>>;

/** Puts together what a training run needs, and tries the validation data. */
async function prepared({options, seed, ...task}: FitTask, {settings, memory, steps: mining}: Parts) {
  const {where, model, training, batchSize} = task;
  const {epochs = 1, initialEpoch = 0, verbose = 1, callbacks: given = [], yieldEvery = 'auto', signal} = options;
  const {ledger, classWeight, initialState, restoreBestWeights = false} = options;
  const {schedule} = settings.select;
  const metrics = evaluator(settings);
  const validation = task.validation && validator(settings, metrics, task.validation);
  const logNames = ['loss', 'batchLoss', 'kept', ...metrics.names];
  if (validation) logNames.push(...['loss', ...metrics.names].map((name) => `val_${name}`));
  const monitor = monitored(where, restoreBestWeights, logNames);
  const history = new History() as OhemHistory;
  const progress = verbose === 0 ? undefined : progressLine(epochs, training.batchesPerEpoch);
  const callbacks = callbackList(where, given, yieldEvery, [...(progress ? [progress] : []), history]);
  callbacks.setModel(model);
  const {samples, batchesPerEpoch: steps} = training;
  const doValidation = validation !== undefined;
  const params = {epochs, initialEpoch, samples, steps, batchSize, verbose, doValidation, metrics: logNames};
  callbacks.setParams(withoutUnknown(params) as Parameters<CallbackInstance['setParams']>[0]);
  await validation?.check();

  const state: TrainingState = {...firstState(initialEpoch, seed, schedule), ...initialState};
  if (state.memory) memory.restore(state.memory);
  const isAborted = () => signal?.aborted === true;
  const run = {
    ...{model, training, epochs, options, schedule, validation, monitor, history, callbacks, state, isAborted},
    isStopped: () => isAborted() || model.stopTraining,
    takeStep: minedStep(settings, mining, metrics, ledger),
    /** What goes with every batch. */
    context: () => ({
      step: run.state.step,
      ...(schedule && {schedule: run.state.schedule}),
      ...(classWeight && {classWeight}),
    }),
    watch: nonFiniteWatch(where),
    pace: pacer(yieldEvery),
    handedOut: () => handedOut(run.state, ledger, memory),
  };
  return run;
}

/** Trains on what is left of the epoch; false if it was stopped before the end. */
async function trainEpoch(run: Run): Promise<boolean> {
  const {training, callbacks, schedule} = run;
  const {checkpoint, checkpointEvery = 'epoch'} = run.options;
  for await (const batch of training.batches(run.state)) {
    const known = {batch: run.state.batch, size: batch.size};
    await callbacks.onBatchBegin(known.batch, {...known});
    const figures = await run.takeStep(batch, run.context());
    run.watch(figures, run.state);
    const step = run.state.step + 1;
    run.state = {
      ...run.state,
      batch: known.batch + 1,
      step,
      totals: addBatch(run.state.totals, batch.size, figures.logs),
      ...(schedule && {schedule: schedule.next(run.state.schedule, {step})}),
    };
    await callbacks.onBatchEnd(known.batch, {...known, ...figures.logs});
    if (checkpointEvery !== 'epoch' && step % checkpointEvery === 0) await checkpoint?.(await run.handedOut());
    await run.pace.afterBatch();
    if (run.isStopped()) return run.state.batch === training.batchesPerEpoch;
  }
  return true;
}

/** Ends an epoch with its logs; one that was stopped before the end is not counted as done. */
async function endEpoch(run: Run, logs: Logs, isWhole: boolean): Promise<void> {
  const {model, monitor, schedule} = run;
  const {checkpoint, checkpointEvery = 'epoch'} = run.options;
  const {epoch, step, best: before} = run.state;
  const best = monitor === undefined ? undefined : await better(monitor, model, epoch, logs, before);
  const {acc: accuracy} = logs;
  await run.callbacks.onEpochEnd(epoch, logs);
  run.state = {...run.state, ...(best && {best})};
  if (!isWhole) return;
  run.state = {...run.state, epoch: epoch + 1, batch: 0, totals: NO_TOTALS};
  const at = {step, ...(accuracy !== undefined && {accuracy})};
  if (schedule) run.state = {...run.state, schedule: schedule.next(run.state.schedule, at)};
  if (checkpointEvery === 'epoch') await checkpoint?.(await run.handedOut());
  await run.pace.afterEpoch();
}

/** What callbacks are told of a training, without what is not known. */
function withoutUnknown<T extends object>(params: T): T {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)) as T;
}

/** Marks a model as in training, as tfjs does: a second training beside the first would tear at the same weights. */
function lock(where: string, model: LayersModel): () => void {
  const flag = model as unknown as {isTraining: boolean};
  if (flag.isTraining) {
    throw typeError(where, 'model', 'be trained by one call at a time', 'one in training', 'Await the other call.');
  }
  flag.isTraining = true;
  return () => {
    flag.isTraining = false;
  };
}
