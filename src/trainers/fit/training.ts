import {History, type LayersModel, type Logs} from '@tensorflow/tfjs-layers';
import {typeError} from '../../checks';
import type {BatchSource} from '../../data/batchSource';
import {firstState, handedOut, type TrainingState} from '../checkpoint/trainingState';
import {type StepSettings, stepSettings} from '../step/options';
import {type SelectorState, selectorState} from '../step/selection';
import {better, monitored, restoreWeights} from './bestWeights';
import {type CallbackInstance, callbackList} from './callbackList';
import {addBatch, epochLogs, NO_TOTALS} from './epochTotals';
import {evaluator} from './evaluator';
import {type FitOptions, stepOptions} from './fitOptions';
import {minedStep} from './minedStep';
import {nonFiniteWatch} from './nonFinite';
import {pacer} from './pacer';
import {progressLine} from './progressLine';
import {validation} from './validation';

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
  try {
    const settings = stepSettings(task.where, task.model, stepOptions(task.options));
    state = selectorState(task.where, settings.select);
    return await trainAlone(task, settings, state);
  } finally {
    unlock();
    state?.dispose();
    await task.training.close();
    await task.validation?.close();
  }
}

async function trainAlone(
  {where, model, options, seed, ...data}: FitTask,
  settings: StepSettings,
  memory: SelectorState,
): Promise<OhemHistory> {
  const {epochs = 1, verbose = 1, callbacks = [], yieldEvery = 'auto', signal, ledger, classWeight} = options;
  const {initialEpoch = 0, initialState, checkpoint, checkpointEvery = 'epoch', restoreBestWeights = false} = options;
  const {schedule} = settings.select;
  const metrics = evaluator(settings);
  const judge = data.validation && validation(settings, metrics, data.validation);
  const logNames = ['loss', 'batchLoss', 'kept', ...metrics.names];
  if (judge) logNames.push(...['loss', ...metrics.names].map((name) => `val_${name}`));
  const monitor = monitored(where, restoreBestWeights, logNames);
  const history = new History() as OhemHistory;
  const progress = verbose === 0 ? undefined : progressLine(epochs, data.training.batchesPerEpoch);
  const list = callbackList(where, callbacks, yieldEvery, [...(progress ? [progress] : []), history]);
  list.setModel(model);
  list.setParams(knownOf({epochs, initialEpoch, verbose, metrics: logNames, doValidation: judge !== undefined}, data));
  await judge?.check();

  let state: TrainingState = {...firstState(initialEpoch, seed, schedule), ...initialState};
  if (state.memory) memory.restore(state.memory);
  const takeStep = minedStep(settings, memory, metrics, ledger);
  const watch = nonFiniteWatch(where);
  const pace = pacer(yieldEvery);
  const isAborted = () => signal?.aborted === true;
  const isStopped = () => isAborted() || model.stopTraining;
  const save = async () => checkpoint?.(await handedOut(state, ledger, memory));

  /** Trains on what is left of the epoch; false if it was stopped before the end. */
  const trainEpoch = async (): Promise<boolean> => {
    for await (const batch of data.training.batches(state)) {
      const known = {batch: state.batch, size: batch.size};
      await list.onBatchBegin(state.batch, {...known});
      const context = {
        step: state.step,
        ...(schedule && {schedule: state.schedule}),
        ...(classWeight && {classWeight}),
      };
      const figures = await takeStep(batch, context);
      watch(figures, state);
      state = {
        ...state,
        batch: state.batch + 1,
        step: state.step + 1,
        totals: addBatch(state.totals, batch.size, figures.logs),
        ...(schedule && {schedule: schedule.next(state.schedule, {step: state.step + 1})}),
      };
      await list.onBatchEnd(known.batch, {...known, ...figures.logs});
      if (checkpointEvery !== 'epoch' && state.step % checkpointEvery === 0) await save();
      await pace.afterBatch();
      if (isStopped()) return state.batch === data.training.batchesPerEpoch;
    }
    return true;
  };

  const endEpoch = async (logs: Logs, isWhole: boolean): Promise<void> => {
    const {epoch, step} = state;
    const best = monitor === undefined ? undefined : await better(monitor, model, epoch, logs, state.best);
    const accuracy = logs.acc;
    await list.onEpochEnd(epoch, logs);
    state = {...state, ...(best && {best})};
    if (!isWhole) return;
    const at = {step, ...(accuracy !== undefined && {accuracy})};
    state = {...state, epoch: epoch + 1, batch: 0, totals: NO_TOTALS};
    if (schedule) state = {...state, schedule: schedule.next(state.schedule, at)};
    if (checkpointEvery === 'epoch') await save();
    await pace.afterEpoch();
  };

  model.history = history;
  await list.onTrainBegin();
  model.stopTraining = false;
  while (state.epoch < epochs && !isStopped()) {
    await list.onEpochBegin(state.epoch);
    const isWhole = await trainEpoch();
    if (isAborted()) break;
    const validated = isWhole ? await judge?.run(isAborted, pace.afterBatch) : undefined;
    if (isAborted()) break;
    await endEpoch({...epochLogs(state.totals), ...validated}, isWhole);
  }
  if (monitor !== undefined && state.best && !isAborted()) restoreWeights(model, state.best);
  await list.onTrainEnd();
  history.state = await handedOut(state, ledger, memory);
  return history;
}

/** What callbacks are told of a training, without what is not known. */
function knownOf(
  params: Parameters<CallbackInstance['setParams']>[0],
  {training, batchSize}: Pick<FitTask, 'training' | 'batchSize'>,
) {
  const {samples, batchesPerEpoch: steps} = training;
  const known = Object.entries({samples, steps, batchSize}).filter(([, value]) => value !== undefined);
  return {...params, ...(Object.fromEntries(known) as Record<string, number>)};
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
