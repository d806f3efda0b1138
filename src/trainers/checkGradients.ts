import {
  dispose,
  getBackend,
  type NamedTensorMap,
  type Optimizer,
  ready,
  Tensor,
  tensor1d,
  tidy,
  type Variable,
} from '@tensorflow/tfjs-core';
import {checkFinitePositive, givenOptions, type Nullable, rangeError, typeError} from '../checks';
import type {StepOptions} from '../data/batchOptions';
import {canRecord, offTape, registeredBackends, withDraws} from '../engine';
import {backendVisits} from '../models/backendVisits';
import type {TrainableModel} from '../models/functionModel';
import {modelTensors, type StepTensors} from '../models/modelTensors';
import type {Selection, Selector} from '../types';
import {layerOps, walkBatch} from './step/backward';
import {stepBatch} from './step/batch';
import {type OhemStepOptions, STEP_OPTIONS, type StepSettings, stepSettings} from './step/options';
import {recomputeBatch} from './step/recompute';
import {selectorState} from './step/selection';

const NAME = 'checkGradients';

/** The reference backend: plain JavaScript, the same on every machine. */
const REFERENCE = 'cpu';

/**
 * Options of {@link checkGradients}: those of `ohemStep`, and how to compare. `optimizer`,
 * `clipNorm` and `dynamics` change no gradient and have no effect.
 */
export interface CheckGradientsOptions extends OhemStepOptions {
  /** The backend to check. Default: the one in use. */
  backend?: string;
  /**
   * Largest accepted difference from the cpu gradient, as a share of its largest entry. A finite
   * number > 0. Default 0.01.
   */
  tolerance?: number;
  /** Options of the batch: the third argument of a step. */
  batch?: StepOptions;
}

const NAMES: Record<Exclude<keyof CheckGradientsOptions, keyof OhemStepOptions>, true> = {
  ...{backend: true, tolerance: true, batch: true},
};

/** Difference between the gradients of one weight on the checked backend and on cpu. */
export interface GradientDifference {
  /** The name of the weight, such as `dense_Dense1/kernel`. */
  name: string;
  /**
   * The largest difference, as a share of the largest entry on cpu. Infinity if the gradient is not
   * finite.
   */
  difference: number;
}

export interface GradientCheck {
  /** Whether every gradient is within the tolerance of its cpu gradient. */
  agrees: boolean;
  /** The backend that was checked. */
  backend: string;
  /** All weights, the largest difference first; empty if the backend could not compute them. */
  weights: GradientDifference[];
  /** The result in one sentence. */
  text: string;
}

/**
 * Compares the gradients of a mined step on the backend in use with those on cpu.
 *
 *     difference = max |g − g_cpu| / max |g_cpu|,    for each weight
 *
 * A wrong kernel or driver throws no error: on some phones all gradients are 0. Both backends
 * compute with the same weights, rows and random draws. The selector picks the rows on cpu; dropout
 * and noise use the same seeds. Differences below a thousandth of the largest gradient of all
 * weights are mostly rounding. So a weight with smaller gradients is measured by that thousandth.
 * Errors that cpu shares, such as a wrong formula, cannot be found.
 *
 * Model, tensors and the backend in use stay unchanged. Await the promise before other work,
 * because other ops would run on the backend under test.
 *
 * @param model  a `LayersModel`, or a function `{predict, variables}`.
 * @param xs  inputs of a batch, which may be small; they stay yours.
 * @param ys  its targets.
 * @param options  those of `ohemStep`, and see {@link CheckGradientsOptions}.
 * @returns a promise of whether the gradients agree, by weight and in a sentence.
 * @throws TypeError or RangeError naming the argument: also if cpu is not registered, or its
 *   gradients are 0, not finite, or different each time. As a rejection.
 *
 * @example
 * await tf.setBackend('wasm');
 * const model = tf.sequential({layers: [tf.layers.dense({units: 2, activation: 'softmax', inputShape: [3]})]});
 * model.compile({optimizer: 'sgd', loss: 'categoricalCrossentropy'});
 * const [xs, ys] = [tf.randomNormal([32, 3]), tf.oneHot(tf.zeros([32], 'int32'), 2)];
 * const {agrees, text} = await checkGradients(model, xs, ys);   // agrees is true
 */
export async function checkGradients(
  model: TrainableModel,
  xs: StepTensors,
  ys: StepTensors,
  options?: Nullable<CheckGradientsOptions> | null,
): Promise<GradientCheck> {
  const given = givenOptions<CheckGradientsOptions>(NAME, options, [...STEP_OPTIONS, ...Object.keys(NAMES)]);
  const {backend: asked, tolerance = 0.01, batch = {}, optimizer: _, ...ofStep} = given;
  checkFinitePositive(NAME, 'tolerance', tolerance);
  if (asked !== undefined) checkRegistered(asked, `Import @tensorflow/tfjs-backend-${asked} first.`);
  checkRegistered(REFERENCE, 'It computes the reference gradients: import @tensorflow/tfjs-backend-cpu.');
  const settings = stepSettings(NAME, model, {...ofStep, optimizer: UNUSED});
  tidy(() => void modelTensors(NAME, settings.model, xs, ys, settings));
  await ready();
  const backend = asked ?? getBackend();
  const select = sameSelection(settings.select);
  const visits = await backendVisits(NAME, settings.model, {xs, ys, batch});
  const on = (name: string) => visits.to(name, (copies) => gradientsOf({...settings, select}, copies));
  try {
    const reference = await on(REFERENCE);
    checkReference(reference, await on(REFERENCE), tolerance);
    const found = backend === REFERENCE ? reference : await on(backend).catch((error: unknown) => String(error));
    if (typeof found === 'string') return {agrees: false, backend, weights: [], text: failed(backend, found)};
    const weights = differences(reference, found);
    const agrees = weights.every(({difference}) => difference <= tolerance);
    return {agrees, backend, weights, text: worded(backend, weights, tolerance)};
  } finally {
    await visits.end();
  }
}

/** A placeholder: only gradients are computed. */
const UNUSED = {applyGradients() {}} as unknown as Optimizer;

function checkRegistered(backend: string, remedy: string): void {
  const registered = registeredBackends();
  if (registered.includes(backend)) return;
  throw rangeError(NAME, 'backend', `be registered: ${registered.join(', ')}`, backend, remedy);
}

/**
 * Wraps a selector so that every call returns the rows of the first. In near ties, backends may
 * choose different rows and still be right.
 */
function sameSelection(select: Selector): Selector {
  let first: {indices: Int32Array; weights: Float32Array} | undefined;
  const choose: Selector = (losses, context) => {
    if (first) return {indices: tensor1d(first.indices, 'int32'), weights: tensor1d(first.weights)};
    const selection = select(losses, context);
    const {indices, weights} = Object(selection) as Partial<Selection>;
    // An invalid selection is refused later, when it is used.
    if (indices instanceof Tensor && weights instanceof Tensor) {
      first = {indices: Int32Array.from(indices.dataSync()), weights: Float32Array.from(weights.dataSync())};
    }
    return selection;
  };
  return Object.assign(choose, {...select});
}

type HostGradients = Map<string, Float32Array>;

/** Computes the gradients of a batch on the backend in use, and reads them. */
async function gradientsOf(
  settings: StepSettings,
  {xs, ys, batch}: {xs: StepTensors; ys: StepTensors; batch: StepOptions},
): Promise<HostGradients> {
  const {model, backward} = settings;
  const state = selectorState(NAME, settings.select);
  const compute = backward === 'recompute' ? recomputeBatch : walkBatch;
  const run = (): NamedTensorMap => {
    const rows = stepBatch(settings, xs, ys, {step: 0, ...batch});
    return compute(settings, rows, settings.trained(), state, layerOps(model)).gradients;
  };
  try {
    const gradients = tidy(() => withDraws(NAME, () => (canRecord() ? offTape(run) : run())));
    const read: HostGradients = new Map();
    for (const weight of model.weights) {
      const gradient = gradients[(weight.read() as Variable).name];
      if (gradient) read.set(weight.originalName, (await gradient.data<'float32'>()).slice());
    }
    dispose(gradients);
    return read;
  } finally {
    state.dispose();
  }
}

const largestOf = (values: Float32Array) => values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);

/** Checks that the reference gradients are finite, not all 0, and reproducible. */
function checkReference(reference: HostGradients, again: HostGradients, tolerance: number): void {
  for (const [name, values] of reference) {
    if (values.every(Number.isFinite)) continue;
    throw rangeError(
      NAME,
      'xs',
      'give finite gradients on cpu',
      `other values for ${name}`,
      'Check the data and the loss.',
    );
  }
  if ([...reference.values()].every((values) => largestOf(values) === 0)) {
    throw rangeError(NAME, 'xs', 'give gradients other than 0 on cpu', 'only 0', 'Use other rows, or another loss.');
  }
  const [worst] = differences(reference, again);
  if (worst && worst.difference <= tolerance) return;
  const remedy = 'Set a seed on each layer that draws random numbers, or check the model without it.';
  throw typeError(NAME, 'model', 'give the same gradients twice', `different ones for ${worst?.name}`, remedy);
}

/** Below this share of the largest gradient of all weights, differences count as rounding. */
const FLOOR = 1e-3;

function differences(reference: HostGradients, found: HostGradients): GradientDifference[] {
  const largest = Math.max(...[...reference.values()].map(largestOf));
  const ofWeights = [...reference].map(([name, expected]) => {
    const got = found.get(name) ?? new Float32Array(expected.length);
    const distance = largestOf(expected.map((value, i) => value - (got[i] as number)));
    const difference = distance / Math.max(largestOf(expected), FLOOR * largest);
    return {name, difference: Number.isFinite(difference) ? difference : Infinity};
  });
  return ofWeights.sort((a, b) => (a.difference === b.difference ? 0 : b.difference - a.difference));
}

function worded(backend: string, weights: GradientDifference[], tolerance: number): string {
  const [worst, ...others] = weights as [GradientDifference, ...GradientDifference[]];
  if (backend === REFERENCE) return 'cpu is the reference for other backends: there is nothing to check.';
  const {difference, name} = worst;
  if (difference <= tolerance) {
    return `${backend} agrees with cpu: no gradient is off by more than ${percent(difference)} of its largest entry.`;
  }
  const more = others.filter((weight) => weight.difference > tolerance).length;
  const where = more === 0 ? name : `${name} and ${more} more of ${weights.length} weights`;
  const how = difference === Infinity ? 'not finite' : `off by up to ${percent(difference)} of the largest entry`;
  return `${backend} computes a wrong gradient for ${where}: ${how}. ${remedyFor(backend)}`;
}

function failed(backend: string, error: string): string {
  return `${backend} cannot compute the gradients: ${error.replace(/^\w*Error: |\.$/g, '')}. ${remedyFor(backend)}`;
}

function remedyFor(backend: string): string {
  if (backend === 'wasm') return 'Call enableWasmTraining() of ohem-tfjs/wasm, or train on another backend.';
  return 'Train on another backend.';
}

const percent = (share: number) => `${Number((share * 100).toPrecision(2))} %`;
