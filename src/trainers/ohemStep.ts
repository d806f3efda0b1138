import {clone, type Scalar, tidy} from '@tensorflow/tfjs-core';
import {givenOptions, type Nullable, typeError} from '../checks';
import {BATCH_OPTIONS, type StepOptions} from '../data/batchOptions';
import {canRecord, offTape} from '../engine';
import {isClosedForm} from '../losses/formula';
import type {TrainableModel} from '../models/functionModel';
import {trainableVariables} from '../models/model';
import type {StepTensors} from '../models/modelTensors';
import {recordedStages} from '../replay/recordedStages';
import {beforeFirst, type Forward, layerOps, walkBatch} from './step/backward';
import {type StepBatch, stepBatch} from './step/batch';
import {
  type BackwardStrategy,
  type OhemStepOptions,
  STEP_OPTIONS,
  type StepSettings,
  stepSettings,
} from './step/options';
import {recomputeBatch} from './step/recompute';
import {type Reported, reportedSelection, type StepReport, stepReport} from './step/report';
import {type SelectorState, selectorState} from './step/selection';
import {clipByGlobalNorm, slotOwners, takeSnapshot, update} from './step/update';

const NAME = 'ohemStep';

/** A training step, ready to be called with batches. */
export interface OhemStep {
  (xs: StepTensors, ys: StepTensors, options?: StepOptions): StepReport;
  /** How the latest step computed its gradients; `'auto'` before the first one. */
  readonly strategy: 'auto' | BackwardStrategy;
  /** Why that way, and how much of the backward pass it saved, in a sentence. */
  readonly why: string;
  /** Ends the use of the step, and disposes what its selector remembers; a later call throws. The model and the optimizer stay as they are. */
  dispose(): void;
}

/**
 * Builds a training step that runs a batch forward and backpropagates only its hard rows.
 *
 *     w ← optimizer(w, ∇_w reduction(l_i : i ∈ select(l)) + regularisers),    l = loss(ys, model(xs))
 *
 * All rows run forward once, in training mode, on a gradient tape. The walk back begins at the losses of the `K` kept rows and stays with these
 * rows as long as each op is proved to go row by row; from an op that mixes rows, all rows go on. So the gradient is that of the whole
 * batch for any model and any loss, and `step.why` says how much was saved. `masked` runs all rows backward; `recompute` scores in inference
 * mode, and runs the kept rows forward a second time. A step never waits for a GPU. Layers that are not trainable stay as they are; regularisers
 * count as in `fit`.
 *
 * With `granularity: 'element'` the pixels, anchors or time steps of a batch are mined one by one: read "row" as "element" below. The step carries
 * what a selector remembers, and the state of its schedule, from one batch to the next.
 *
 * Rows whose loss is NaN or ±∞ are left out and counted. If no row is finite, or a gradient or a statistic is not finite all the same, the step changes
 * nothing: no weight, no slot of the optimizer, no statistic; its report says `kept` 0. Wrong use throws before anything changes.
 *
 * @param model  a `LayersModel` with any number of inputs and outputs, or a function with its variables,
 *   `{predict: (xs, training) => predictions, variables}`; see {@link FunctionModel}.
 * @param options  see {@link OhemStepOptions}.
 * @returns a function of `xs` and `ys` (tensors, lists of them, or records by name; the first axis is the batch) and {@link StepOptions}
 *   that returns a {@link StepReport}; dispose it or `read()` it.
 * @throws TypeError or RangeError naming the argument: for options when the step is built; for batches when it is called.
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
  const step = (xs: StepTensors, ys: StepTensors, stepOptions?: StepOptions): StepReport => {
    if (isDisposed) throw new Error(`${NAME}: the step must not be called after dispose(). Build another one.`);
    return stepReport(
      tidy(() => steps.take(xs, ys, stepOptions).reported),
      settings.reduction,
    );
  };
  return Object.defineProperties(step as OhemStep, {
    strategy: {get: () => steps.how().strategy},
    why: {get: () => steps.how().why},
    dispose: {
      value: () => {
        isDisposed = true;
        state.dispose();
        steps.dispose();
      },
    },
  });
}

/** A step that was taken, in tensors of the `tidy` around it. (A type, so that `tf.tidy` takes it.) */
type TakenStep = {
  reported: Reported;
  /** What `evaluate` returned. */
  evaluated: Scalar[];
  /** `bool[]`: whether gradients and statistics are finite. */
  finite: Scalar;
};

/** Computes figures of a batch from its forward pass. */
export type Evaluate = (batch: StepBatch, forward: Forward) => Scalar[];

/** The step that `ohemStep` and `fitOhem` share. */
export type Stepper = ReturnType<typeof stepper>;

/** Builds the step that `ohemStep` and `fitOhem` share. */
export function stepper(settings: StepSettings, state: SelectorState) {
  const {where, model, optimizer, clipNorm, backward} = settings;
  const compute = backward === 'recompute' ? recomputeBatch : walkBatch;
  const layers = layerOps(model);
  // Optimizers find slots by position, so weights that were ever trained keep their places.
  const everTrained = new Set<string>();
  /** Built by the second step: the first has nothing to run again. */
  let stages: ReturnType<typeof recordedStages> | undefined;
  let how = beforeFirst(settings);
  let taken = 0;

  const take = (xs: StepTensors, ys: StepTensors, options?: StepOptions | null, evaluate?: Evaluate): TakenStep => {
    const given = givenOptions(where, options, BATCH_OPTIONS);
    const batch = stepBatch(settings, xs, ys, {step: taken, ...given});
    const variables = trainableVariables(where, model);
    const before = takeSnapshot(model, optimizer);
    if (taken > 0 && model.layers.length > 0) stages ??= recordedStages(model, settings.losses.every(isClosedForm));
    try {
      const {forward, chosen, gradients, strategy, why} = compute(settings, batch, variables, state, layers, stages);
      if (Object.keys(gradients).length === 0) throw unconnected(where);
      const evaluated = evaluate?.(batch, forward) ?? [];
      const clipped = clipByGlobalNorm(gradients, clipNorm);
      const trained = variables.map(({name}) => name);
      const {selection, losses} = chosen;
      // Another step over the same optimizer may have made slots meanwhile.
      const names = [...new Set([...slotOwners(optimizer), ...everTrained, ...trained])];
      const haveSlots = trained.every((name) => everTrained.has(name));
      const {finite, sound} = update(optimizer, {gradients: clipped, ...selection}, {names, haveSlots}, before);
      for (const name of trained) everTrained.add(name);
      how = {strategy, why};
      taken++;
      state.advance(taken);
      return {
        reported: {losses, selection: reportedSelection(selection, sound), valid: batch.valid && clone(batch.valid)},
        evaluated,
        finite,
      };
    } catch (error) {
      before.restore();
      state.stay();
      throw error;
    }
  };
  return {
    /** Trains on a batch; figures are evaluated before the weights change. Runs within a `tidy`. */
    take: (...given: Parameters<typeof take>) => (canRecord() ? offTape(() => take(...given)) : take(...given)),
    how: () => how,
    dispose: () => stages?.dispose(),
  };
}

function unconnected(where: string): TypeError {
  const remedy = 'Compute it from yPred by ops of tfjs, and read no values on the way.';
  return typeError(where, 'loss', 'depend on a weight to train', 'one that depends on none', remedy);
}
