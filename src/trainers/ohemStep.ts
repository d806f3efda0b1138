import {
  type NamedTensorMap,
  ones,
  type Rank,
  type Scalar,
  Tensor,
  type Tensor1D,
  tidy,
  type Variable,
  zeros,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {didYouMean, givenOptions, type Nullable, rangeError, shapeText, typeError} from '../checks';
import {BATCH_OPTIONS, type StepOptions} from '../data/batchOptions';
import {canRecord, offTape} from '../engine';
import {isClosedForm} from '../losses/formula';
import type {TrainableModel} from '../models/functionModel';
import type {StepTensors} from '../models/modelTensors';
import {recordedStages} from '../replay/recordedStages';
import type {GlobalThreshold} from '../types';
import {accumulation} from './step/accumulation';
import {beforeFirst, type Forward, type Gradients, layerOps, walkBatch} from './step/backward';
import {type StepBatch, stepBatch} from './step/batch';
import {
  type BackwardStrategy,
  type OhemStepOptions,
  STEP_OPTIONS,
  type StepSettings,
  stepSettings,
} from './step/options';
import {emptyPart} from './step/part';
import {recomputeBatch} from './step/recompute';
import {lossOfEmbeddings, type Reported, reportOf, type StepReport, stepReport} from './step/report';
import {ofNoRow, type SelectorState, selectorState} from './step/selection';
import {
  clipByGlobalNorm,
  rollBackUnless,
  type Snapshot,
  type Soundness,
  slotOwners,
  soundnessOf,
  takeSnapshot,
  update,
  zerosUnless,
} from './step/update';

const NAME = 'ohemStep';

/** A training step, called with one batch at a time. */
export interface OhemStep {
  (xs: StepTensors, ys: StepTensors, options?: StepOptions): StepReport;
  /** How the latest step computed its gradients; `'auto'` before the first step. */
  readonly strategy: 'auto' | BackwardStrategy;
  /** The reason for that strategy, and how much of the backward pass it saved, in a sentence. */
  readonly why: string;
  /**
   * Computes the gradients of a batch and changes no weight: for accumulation, for sums over
   * machines, for an optimizer of your own. Batch statistics and the state of the selector advance,
   * as in a step. With a `threshold` over several shards, the result is one shard's part of the
   * sum; a model with batch normalisation is then refused.
   */
  gradients(xs: StepTensors, ys: StepTensors, options?: StepOptions): StepGradients;
  /**
   * Updates the weights by gradients keyed by weight name: those of `gradients`, or sums of them.
   * Clips them; if one is not finite, nothing changes. The gradients stay yours.
   */
  apply(gradients: NamedTensorMap): void;
  /**
   * Ends the use of the step: disposes the memory of its selector and accumulated batches. A later
   * call throws. The model and the optimizer stay as they are.
   */
  dispose(): void;
}

/** The gradients of a batch and its report, both yours to dispose. */
export interface StepGradients {
  /**
   * One gradient per trained weight, in their order, with regularisers and before clipping. All are
   * zeros if no row is kept or one is not finite.
   */
  gradients: NamedTensorMap;
  report: StepReport;
}

/**
 * Builds a training step that runs a batch forward and backpropagates only its hard rows.
 *
 *     w ← optimizer(w, ∇_w reduction(l_i : i ∈ select(l)) + regularisers)
 *     l = loss(ys, model(xs))
 *
 * All rows run forward once, in training mode, on a gradient tape. The backward pass starts at the
 * losses of the `K` kept rows. It stays with these rows as long as each op provably works row by
 * row; from an op that mixes rows on, it covers all rows. So the gradient is that of the whole
 * batch for any model and any loss, and `step.why` reports how much was saved. `masked` runs all
 * rows backward; `recompute` scores in inference mode, and runs the kept rows forward a second
 * time. A step never waits for a GPU.
 *
 * Layers that are not trainable stay unchanged. As in tfjs, a compiled model trains the weights
 * that were trainable when it was compiled. Regularisers count as in `fit`.
 *
 * With `accumulate: m`, each `m` calls make one update, as if the rows they keep were kept from one
 * batch. The report of a call counts the rows of its batch; if the update is not finite, that of
 * the last call has `kept` 0. With `selectOver: 'accumulated'`, all of their rows are ranked
 * together. `step.gradients`
 * computes gradients without an update, and `step.apply` updates by gradients of any origin.
 *
 * With `granularity: 'element'`, the pixels, anchors or time steps of a batch are mined
 * individually: read "row" as "element" below. The step carries the selector's memory and the state
 * of its schedule from one batch to the next.
 *
 * Rows whose loss is NaN or ±∞ are left out and counted. If no row has a finite loss, or any
 * gradient or statistic is not finite, the step changes nothing. Weights, optimizer slots and batch
 * statistics stay, and the report has `kept` 0. Wrong use throws before anything changes.
 *
 * @param model  a `LayersModel` with any number of inputs and outputs, or a function with its
 *   variables, `{predict: (xs, training) => predictions, variables}`; see {@link FunctionModel}.
 * @param options  see {@link OhemStepOptions}.
 * @returns a function of `xs` and `ys` (tensors, lists of them, or records by name; the first axis
 *   is the batch) and {@link StepOptions} that returns a {@link StepReport}; dispose it or `read()`
 *   it.
 * @throws TypeError or RangeError naming the argument: for options when the step is built; for
 *   batches, for variables that are disposed or not trainable, and for a `predict` that returns
 *   another number of rows than it gets, when the step is called; for gradients that belong to no
 *   weight, when they are applied.
 *
 * @example
 * const model = tf.sequential({layers: [tf.layers.dense({units: 2, activation: 'softmax', inputShape: [3]})]});
 * const step = ohemStep(model, {
 *   loss: categoricalCrossentropy(),
 *   select: topK({ratio: 0.5}),
 *   optimizer: tf.train.sgd(0.1),
 * });
 * const report = step(tf.ones([4, 3]), tf.oneHot(tf.tensor1d([0, 1, 1, 0], 'int32'), 2));
 * const {loss, kept} = await report.read();   // kept is 2
 *
 * @see Shrivastava, Gupta & Girshick, CVPR 2016, §4 (arXiv:1604.03540)
 */
export function ohemStep(model: TrainableModel, options?: Nullable<OhemStepOptions> | null): OhemStep {
  const settings = stepSettings(NAME, model, givenOptions(NAME, options, STEP_OPTIONS));
  const state = selectorState(NAME, settings.select);
  const steps = stepper(settings, state);
  let isDisposed = false;
  const inUse = <T extends object>(f: () => T): T => {
    if (isDisposed) throw new Error(`${NAME}: the step must not be called after dispose(). Build another one.`);
    return f();
  };
  const reportOn = (reported: Reported) =>
    stepReport(reported, settings.reduction, {
      saved: steps.how().saved,
      spread: lossOfEmbeddings(settings)?.loss.spread,
    });
  const step = (xs: StepTensors, ys: StepTensors, stepOptions?: StepOptions): StepReport =>
    inUse(() => reportOn(tidy(() => steps.take(xs, ys, stepOptions).reported)));
  return Object.defineProperties(step as OhemStep, {
    strategy: {get: () => steps.how().strategy},
    why: {get: () => steps.how().why},
    gradients: {
      value: (xs: StepTensors, ys: StepTensors, stepOptions?: StepOptions): StepGradients =>
        inUse(() => {
          const {gradients, reported} = tidy(() => steps.gradients(xs, ys, stepOptions));
          return {gradients, report: reportOn(reported)};
        }),
    },
    apply: {value: (gradients: NamedTensorMap) => void inUse(() => Object(tidy(() => steps.apply(gradients))))},
    dispose: {
      value: () => {
        isDisposed = true;
        state.dispose();
        steps.dispose();
      },
    },
  });
}

/**
 * A completed step, in tensors of the surrounding `tidy`. A type alias, because `tf.tidy` does not
 * accept interfaces.
 */
export type TakenStep = {
  reported: Reported;
  /** The results of `evaluate`. */
  evaluated: Scalar[];
  /** Whether gradients and statistics are finite; on a GPU `bool[]`. */
  finite: Scalar | boolean;
  /**
   * `bool[count]`: the mask of reported rows with finite inputs, targets and weights; undefined if
   * all are known to be finite.
   */
  finiteRows: Tensor1D | undefined;
  /**
   * Number of batches in the report. If batches are ranked together, all of them; 0 while they
   * wait.
   */
  batches: number;
  /** Whether the update waits for more batches. */
  isPending: boolean;
  /**
   * Whether the weights were updated; on a GPU `bool[]`. Undefined if the report tells: a row is
   * kept.
   */
  updated?: Scalar | boolean;
};

/** Computes figures of a batch from its forward pass. */
export type Evaluate = (batch: StepBatch, forward: Forward) => Scalar[];

/** A checked batch, and a snapshot from before it. */
export interface Begun {
  batch: StepBatch;
  /** The weights to train. */
  variables: Variable[];
  before: Snapshot;
}

/** The parts of a step: the gradients of a batch, and an update of the weights. */
export type StepParts = ReturnType<typeof stepParts>;

/** Builds the parts of a step. */
function stepParts(settings: StepSettings, state: SelectorState) {
  const {where, model, optimizer, clipNorm, backward} = settings;
  const compute = backward === 'recompute' ? recomputeBatch : walkBatch;
  const layers = layerOps(model);
  // Optimizers find slots by position, so weights that were ever trained keep their places.
  const everTrained = new Set<string>();
  /** Built by the second step: the first has no recording to replay. */
  let stages: ReturnType<typeof recordedStages> | undefined;
  let computed = 0;
  let how = beforeFirst(settings);
  return {
    /** Computes the gradients of a batch, with settings that may differ from those of the step. */
    gradientsOf({batch, variables}: Begun, own: StepSettings = settings, selector = state): Gradients {
      if (computed > 0 && model.layers.length > 0)
        stages ??= recordedStages(model, settings.losses.every(isClosedForm));
      const found = compute(own, batch, variables, selector, layers, stages);
      if (Object.keys(found.gradients).length === 0) throw unconnected(where);
      computed++;
      how = {strategy: found.strategy, why: found.why, saved: found.saved};
      return found;
    },
    /** Updates the weights if the gradients are finite and some row has a weight. */
    apply(gradients: NamedTensorMap, weights: Tensor, {variables, before}: Omit<Begun, 'batch'>): Soundness {
      const trained = variables.map(({name}) => name);
      // Another step with the same optimizer may have added slots meanwhile, also within this step.
      const names = [...new Set([...slotOwners(optimizer), ...everTrained, ...trained])];
      const haveSlots = trained.every((name) => everTrained.has(name));
      const clipped = clipByGlobalNorm(gradients, clipNorm);
      const soundness = update(optimizer, {gradients: clipped, weights}, {names, haveSlots, variables}, before);
      for (const name of trained) everTrained.add(name);
      return soundness;
    },
    how: () => how,
    dispose: () => stages?.dispose(),
  };
}

/** The step that `ohemStep` and `fitOhem` share. */
export type Stepper = ReturnType<typeof stepper>;

/** Builds the step that `ohemStep` and `fitOhem` share. Each method runs within a `tidy`. */
export function stepper(settings: StepSettings, state: SelectorState) {
  const {where, model, optimizer, accumulate, trained} = settings;
  const parts = stepParts(settings, state);
  const accumulated = accumulate > 1 ? accumulation(settings, parts, state) : undefined;
  const takeBatch = accumulated?.take ?? ((whole: Begun, evaluate) => takeStep(settings, parts, whole, evaluate));
  let selections = 0;
  /** Runs `f` off any tape, and rolls back if it throws. */
  const guarded = <T>(f: (begun: Omit<Begun, 'batch'>) => T): T => {
    const before = takeSnapshot(model, optimizer);
    try {
      const begun = () => f({variables: trained(), before});
      return canRecord() ? offTape(begun) : begun();
    } catch (error) {
      before.restore();
      state.stay();
      throw withKernelRemedy(error);
    }
  };
  const optionsOf = (options?: StepOptions | null): StepOptions => ({
    step: selections,
    ...givenOptions(where, options, BATCH_OPTIONS),
  });
  const batchOf = (xs: StepTensors, ys: StepTensors, options?: StepOptions | null) =>
    stepBatch(settings, xs, ys, optionsOf(options));
  const advanced = <T extends {batches: number}>(taken: T): T => {
    if (taken.batches > 0) state.advance(++selections);
    return taken;
  };
  return {
    /** Trains on a batch; `evaluate` runs before the weights change. */
    take: (xs: StepTensors, ys: StepTensors, options?: StepOptions | null, evaluate?: Evaluate): TakenStep =>
      guarded((begun) => advanced(takeBatch({...begun, batch: batchOf(xs, ys, options)}, evaluate))),
    /** Computes the gradients of a batch and changes no weight. */
    gradients: (xs: StepTensors, ys: StepTensors, options?: StepOptions | null) =>
      guarded((begun) => {
        if (accumulated) throw accumulating(where, accumulate);
        const empty = emptyPart(settings, xs, ys, optionsOf(options));
        if (empty) return advanced({batches: 1, ...noGradients(begun, empty)});
        return advanced({batches: 1, ...takeGradients(parts, {...begun, batch: batchOf(xs, ys, options)}, settings)});
      }),
    /** Updates the weights by gradients of any origin. */
    apply: (gradients: NamedTensorMap) =>
      guarded((begun) => void parts.apply(givenGradients(where, begun.variables, gradients), ones([1]), begun)),
    /** Updates the weights by the batches accumulated so far; undefined if there are none. */
    flush: (evaluate?: () => Scalar[]): TakenStep | undefined =>
      accumulated?.isEmpty() === false ? guarded((begun) => advanced(accumulated.flush(begun, evaluate))) : undefined,
    how: parts.how,
    dispose() {
      parts.dispose();
      accumulated?.dispose();
    },
  };
}

/** Kernels that `enableWasmTraining` adds. */
const ADDED = [
  'Conv2DBackpropFilter',
  'DepthwiseConv2dNativeBackpropFilter',
  'DepthwiseConv2dNativeBackpropInput',
  'UnsortedSegmentSum',
];

/** Adds to tfjs's error of a missing kernel what to do. */
function withKernelRemedy(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const missing = /^Kernel '(.*)' not registered for backend 'wasm'/.exec(error.message)?.[1];
  if (missing === undefined) return error;
  const remedy = ADDED.includes(missing)
    ? "Call enableWasmTraining() from 'ohem-tfjs/wasm' first."
    : 'Train on another backend: tfjs does not have it for wasm.';
  error.message += `. ${remedy}`;
  return error;
}

function accumulating(where: string, accumulate: number): RangeError {
  const remedy = 'Build a step without it, and add up its gradients.';
  return rangeError(where, 'accumulate', 'be 1 for step.gradients', accumulate, remedy);
}

function takeStep(settings: StepSettings, parts: StepParts, begun: Begun, evaluate: Evaluate | undefined): TakenStep {
  const {forward, chosen, gradients} = parts.gradientsOf(begun);
  const evaluated = evaluate?.(begun.batch, forward) ?? [];
  const {finite, sound} = parts.apply(gradients, chosen.selection.weights, begun);
  const {finite: finiteRows} = begun.batch;
  const reported = reportOf(settings, begun.batch, forward, chosen, sound);
  return {reported, evaluated, finite, finiteRows, batches: 1, isPending: false};
}

/**
 * Computes the gradients for all trained weights, in their order: zeros if the step is not sound.
 */
function takeGradients(
  parts: StepParts,
  begun: Begun,
  settings: StepSettings,
): {gradients: NamedTensorMap; reported: Reported} {
  const {batch, variables, before} = begun;
  const {forward, chosen, gradients} = parts.gradientsOf(begun, {...settings, partial: true});
  const {sound} = soundnessOf(gradients, chosen.selection.weights, before);
  rollBackUnless(sound, before);
  const all = variables.map((weight) => [weight.name, gradients[weight.name] ?? zerosLike(weight)] as const);
  const reported = reportOf(settings, batch, forward, chosen, sound);
  return {gradients: zerosUnless(sound, Object.fromEntries(all)), reported};
}

/** Returns the part of a shard that keeps no row. */
function noGradients(
  {variables}: Omit<Begun, 'batch'>,
  threshold: GlobalThreshold,
): {gradients: NamedTensorMap; reported: Reported} {
  const gradients = Object.fromEntries(variables.map((weight) => [weight.name, zerosLike(weight)]));
  const selection = {...ofNoRow(), threshold};
  return {gradients, reported: {losses: zeros<Rank.R1>([1]), selection, valid: zeros<Rank.R1>([1])}};
}

/** Checks that gradients belong to trained weights, by name. */
function givenGradients(where: string, variables: Variable[], gradients: NamedTensorMap): NamedTensorMap {
  const weights = new Map(variables.map((weight) => [weight.name, weight]));
  const given = Object.entries(Object(gradients) as NamedTensorMap);
  if (given.length === 0) throw typeError(where, 'gradients', 'be tensors by the names of weights', gradients);
  for (const [name, gradient] of given) {
    const weight = weights.get(name);
    if (!weight) {
      const remedy = didYouMean(name, [...weights.keys()]);
      throw typeError(where, 'gradients', 'have the names of weights that are trained', name, remedy);
    }
    const isTensor = gradient instanceof Tensor && !gradient.isDisposed;
    if (!isTensor || String(gradient.shape) !== String(weight.shape)) {
      const got = isTensor || !(gradient instanceof Tensor) ? gradient : 'a disposed one';
      throw typeError(where, `gradients of ${name}`, `be a tensor of shape ${shapeText(weight.shape)}`, got);
    }
  }
  return Object.fromEntries(given);
}

function unconnected(where: string): TypeError {
  const remedy = 'Compute it from yPred by tfjs ops, without reading values back.';
  return typeError(where, 'loss', 'depend on a weight to train', 'one that depends on none', remedy);
}
