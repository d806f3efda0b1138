import {type Optimizer, type serialization, tidy, util} from '@tensorflow/tfjs-core';
import {checkCount, checkFinitePositive, givenOptions, type Nullable, rangeError, typeError} from '../checks';
import type {StepOptions} from '../data/batchOptions';
import {registeredBackends} from '../engine';
import {backendVisits} from '../models/backendVisits';
import type {TrainableModel} from '../models/functionModel';
import {optimizerNamed} from '../models/model';
import {modelTensors, type StepTensors} from '../models/modelTensors';
import {stepper} from './ohemStep';
import {type OhemStepOptions, STEP_OPTIONS, type StepSettings, stepSettings} from './step/options';
import {stepReport} from './step/report';
import {selectorState} from './step/selection';

const NAME = 'suggestBackend';

/**
 * Warm-up before times count, in steps and as a share of the time. It covers the compilation of GPU
 * programs, the recording of kernels, and the optimisation of JavaScript.
 */
const WARM_UP = {steps: 5, share: 0.5};

/** Number of visits to each backend. */
const ROUNDS = 3;

/** Options of {@link suggestBackend}: those of `ohemStep`, and how to measure. */
export interface SuggestBackendOptions extends OhemStepOptions {
  /** The backends to try. Default: all that are registered. */
  backends?: string[];
  /** Timed steps per backend, after a warm-up; an integer ≥ 1. Default 20. */
  steps?: number;
  /**
   * Time limit per backend in seconds; slow backends take fewer steps, at least three. A finite
   * number > 0. Default 3.
   */
  seconds?: number;
  /** Options of the batch: the third argument of a step. */
  batch?: StepOptions;
}

const NAMES: Record<Exclude<keyof SuggestBackendOptions, keyof OhemStepOptions>, true> = {
  ...{backends: true, steps: true, seconds: true, batch: true},
};

/** The step time of a backend, or why it failed. */
export interface BackendFigure {
  backend: string;
  /** Median time of a step, until its figures are on the host. Absent if the backend failed. */
  milliseconds?: number;
  /** Why the backend failed. */
  error?: string;
}

export interface BackendSuggestion {
  /** The fastest backend. */
  backend: string;
  /** All backends that were tried, the fastest first. */
  figures: BackendFigure[];
  /** The figures in one sentence. */
  text: string;
}

/**
 * Times a mined step on every registered backend, and returns the fastest.
 *
 *     milliseconds = median over steps of the time until the figures are on the host
 *
 * No backend is fastest for all models: small ones train faster on `wasm` than on a GPU, where each
 * op costs a launch. The steps run on copies. Weights, states, optimizer, tensors and the backend
 * in use stay unchanged; initialised backends stay initialised. Await the promise before other
 * work, because other ops would run on the backend under test.
 *
 * Times do not show whether results are correct: check the gradients with {@link checkGradients}.
 *
 * @param model  a `LayersModel`, or a function `{predict, variables}`.
 * @param xs  inputs of a batch of the size to train with; they stay yours.
 * @param ys  its targets.
 * @param options  those of `ohemStep`, and see {@link SuggestBackendOptions}.
 * @returns a promise of the fastest backend, and the figures of all.
 * @throws TypeError or RangeError naming the argument, before anything is timed; the error of the
 *   step if no backend can take one. As a rejection.
 *
 * @example
 * const model = tf.sequential({layers: [tf.layers.dense({units: 2, activation: 'softmax', inputShape: [3]})]});
 * model.compile({optimizer: 'sgd', loss: 'categoricalCrossentropy'});
 * const [xs, ys] = [tf.ones([32, 3]), tf.oneHot(tf.zeros([32], 'int32'), 2)];
 * const {backend, figures, text} = await suggestBackend(model, xs, ys, {select: topK({ratio: 0.5}), steps: 3});
 * await tf.setBackend(backend);
 * figures.map((figure) => figure.backend).sort();   // 'cpu,wasm'
 */
export async function suggestBackend(
  model: TrainableModel,
  xs: StepTensors,
  ys: StepTensors,
  options?: Nullable<SuggestBackendOptions> | null,
): Promise<BackendSuggestion> {
  const given = givenOptions<SuggestBackendOptions>(NAME, options, [...STEP_OPTIONS, ...Object.keys(NAMES)]);
  const {backends = registeredBackends(), steps = 20, seconds = 3, batch = {}, ...ofStep} = given;
  checkCount(NAME, 'steps', steps);
  checkFinitePositive(NAME, 'seconds', seconds);
  checkBackends(backends);
  // An optimizer given by name would become that of the model.
  const {optimizer} = ofStep;
  const named = typeof optimizer === 'string' ? optimizerNamed(NAME, optimizer) : undefined;
  const settings = stepSettings(NAME, model, {...ofStep, ...(named && {optimizer: named})});
  checkOptimizer(settings.optimizer);
  tidy(() => void modelTensors(NAME, settings.model, xs, ys, settings));
  const visits = await backendVisits(NAME, settings.model, {xs, ys, batch});
  const trials = backends.map((backend) => ({backend, ...trial(settings), failure: undefined as unknown}));
  const share = {steps: Math.ceil(steps / ROUNDS), seconds: seconds / ROUNDS};
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const each of trials.filter(({failure}) => failure === undefined)) {
        await visits
          .to(each.backend, (given, rewind) => each.round(given, rewind, share))
          .catch((error: unknown) => {
            each.failure = error ?? new Error('it threw nothing');
          });
      }
    }
  } finally {
    for (const {dispose} of trials) dispose();
    named?.dispose();
    await visits.end();
  }
  const figures = trials.map(figureOf).sort(byTime);
  const [fastest] = figures;
  // A failure on every backend is one of the call.
  if (fastest?.milliseconds === undefined) throw trials[0]?.failure;
  return {backend: fastest.backend, figures, text: worded(figures)};
}

function checkBackends(backends: string[]): void {
  const registered = registeredBackends();
  if (!Array.isArray(backends) || backends.length === 0) {
    throw typeError(NAME, 'backends', 'be a list of names', backends, `Registered are ${registered.join(', ')}.`);
  }
  const unknown = backends.find((name) => !registered.includes(name));
  if (unknown === undefined) return;
  const remedy = `Import @tensorflow/tfjs-backend-${unknown} first.`;
  throw rangeError(NAME, 'backends', `be registered: ${registered.join(', ')}`, unknown, remedy);
}

type OptimizerClass = serialization.SerializableConstructor<Optimizer>;

function checkOptimizer(optimizer: Optimizer): void {
  const {fromConfig} = optimizer.constructor as OptimizerClass;
  if (typeof optimizer.getConfig === 'function' && typeof fromConfig === 'function') return;
  const remedy = 'Pass an optimizer of tfjs: {optimizer: tf.train.adam()}.';
  throw typeError(NAME, 'optimizer', 'have getConfig() and fromConfig(), to be copied', optimizer, remedy);
}

/** Creates an optimizer with the same options, and slots of its own. */
function copyOf(optimizer: Optimizer): Optimizer {
  const kind = optimizer.constructor as OptimizerClass;
  return kind.fromConfig(kind, optimizer.getConfig());
}

interface Given {
  xs: StepTensors;
  ys: StepTensors;
  batch: StepOptions;
}

/**
 * Times steps on one backend in rounds, so that other work on the machine slows down all backends
 * alike.
 */
function trial(settings: StepSettings) {
  let taking: ReturnType<typeof taker> | undefined;
  const counted: number[] = [];
  return {
    async round(given: Given, rewind: () => void, {steps, seconds}: {steps: number; seconds: number}): Promise<void> {
      const isFirst = taking === undefined;
      taking ??= taker(settings);
      const begin = util.now();
      const passed = () => (util.now() - begin) / (seconds * 1000);
      const times: number[] = [];
      const warmUp = isFirst ? WARM_UP : {steps: 1, share: 0};
      let warm = Infinity;
      while (times.length < warm + steps && (times.length === 0 || passed() < 1)) {
        times.push(await taking.take(given));
        if (times.length >= warmUp.steps && passed() >= warmUp.share) warm = Math.min(warm, times.length);
        rewind();
      }
      // If steps are too slow to finish the warm-up, use the later half.
      counted.push(...times.slice(Math.min(warm, Math.floor(times.length / 2))));
    },
    median: () => median(counted),
    dispose: () => taking?.dispose(),
  };
}

/** Takes steps on the backend in use, with an optimizer of its own. */
function taker(settings: StepSettings) {
  const optimizer = copyOf(settings.optimizer);
  const state = selectorState(NAME, settings.select);
  const step = stepper({...settings, optimizer}, state);
  return {
    /** Returns the milliseconds of a step. */
    async take({xs, ys, batch}: Given): Promise<number> {
      const start = util.now();
      const reported = tidy(() => step.take(xs, ys, batch).reported);
      const {kept} = await stepReport(reported, settings.reduction).read();
      if (kept === 0) throw new Error('the step changed nothing, because losses or gradients were not finite');
      return util.now() - start;
    },
    dispose() {
      state.dispose();
      step.dispose();
      optimizer.dispose();
    },
  };
}

type Trial = Pick<ReturnType<typeof trial>, 'median'> & {backend: string; failure: unknown};

function figureOf({backend, median: time, failure}: Trial): BackendFigure {
  if (failure === undefined) return {backend, milliseconds: time()};
  return {backend, error: failure instanceof Error ? failure.message : String(failure)};
}

function median(values: number[]): number {
  const ordered = [...values].sort((a, b) => a - b);
  const [low, high] = [Math.floor((ordered.length - 1) / 2), Math.ceil((ordered.length - 1) / 2)];
  return ((ordered[low] as number) + (ordered[high] as number)) / 2;
}

function byTime({milliseconds: a = Infinity}: BackendFigure, {milliseconds: b = Infinity}: BackendFigure): number {
  return a === b ? 0 : a - b;
}

function worded([fastest, ...others]: BackendFigure[]): string {
  const rest = others.map(({backend, milliseconds, error}) => {
    if (milliseconds !== undefined) return `${backend} takes ${shown(milliseconds)} ms`;
    return `${backend} failed: ${error?.replace(/\.$/, '')}`;
  });
  const {backend, milliseconds = Number.NaN} = fastest as BackendFigure;
  return [`A step takes ${shown(milliseconds)} ms on ${backend}`, ...rest].join('; ').concat('.');
}

const shown = (milliseconds: number) => String(Number(milliseconds.toPrecision(3)));
