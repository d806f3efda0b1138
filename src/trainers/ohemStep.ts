import {greater, logicalAnd, max, type Scalar, tidy, type Variable} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkFinitePositive, checkOneOf, checkOptionNames, typeError} from '../checks';
import type {BackwardStrategy} from '../gradients/backwardPass';
import {backwardPasses} from '../gradients/chooseBackward';
import {modelLosses, modelLossWeights} from '../models/modelLosses';
import {modelOptimizer} from '../models/modelOptimizer';
import type {StepTensors} from '../models/modelTensors';
import {readyModel} from '../models/readyModel';
import {topK} from '../selectors/topK';
import {clipByGlobalNorm} from './clip';
import {GRANULARITIES} from './elements';
import {soundGradients, takeSnapshot} from './guardedUpdate';
import {inSlotOrder, slotOwners} from './optimizerSlots';
import {REDUCTIONS} from './reduce';
import {type SelectorMemory, selectorMemory} from './selectorMemory';
import {checkSelector} from './settle';
import {stepBatch} from './stepInputs';
import {BATCH_OPTIONS, type OhemStepOptions, STEP_OPTIONS, type StepOptions} from './stepOptions';
import {reportTensors, type StepReport, stepReport} from './stepReport';
import {type Observer, observed, type StepSettings, stepTask} from './stepTask';
import {askedBackward, type KeptBySize, OPS_CHANGED, strategist} from './strategist';

const NAME = 'ohemStep';

/** A training step, ready to be called with batches. */
export interface OhemStep {
  (xs: StepTensors, ys: StepTensors, options?: StepOptions): StepReport;
  /** How gradients are computed; `'auto'` until the first batch tells how many rows are kept. */
  readonly strategy: 'auto' | BackwardStrategy;
  /** Why that way. */
  readonly why: string;
  /**
   * Looks into the model with a first batch, and trains nothing. On a GPU this is what `pruned` takes: finding out whether the model can be
   * pruned means waiting for two numbers, which a step never does. Elsewhere the first step does it.
   *
   * @throws what the step throws for such a batch.
   */
  prepare(xs: StepTensors, ys: StepTensors, options?: StepOptions): Promise<void>;
  /** Ends the use of the step, and disposes what its selector remembers; a later call throws. The model and the optimizer stay as they are. */
  dispose(): void;
}

/**
 * Builds a training step that runs a batch forward and backpropagates only its hard rows.
 *
 *     w ← optimizer(w, ∇_w reduction(l_i : i ∈ select(l)) + regularisers),    l = loss(ys, model(xs))
 *
 * Costs `B` rows forward and `K` backward with `pruned`, `B + K` forward and `K` backward with `recompute`, `B` forward and `B`
 * backward with `masked`. Never waits for a GPU: there `pruned` is taken only after `await step.prepare(xs, ys)`. On cpu and wasm, where
 * tensors live in main memory, the first step looks into the model by itself. Dropout and batch
 * normalisation run in training mode where gradients are taken; `recompute` selects in inference mode. Layers that are not trainable stay as they are; regularisers count as in `fit`.
 *
 * With `granularity: 'element'` the pixels, anchors or time steps of a batch are mined one by one: read "row" as "element" below. A selector that has a
 * `remember` is handed what it remembered in the next step.
 *
 * Rows whose loss is NaN or ±∞ are left out and counted. A batch without a finite row, or whose gradients are not finite all the same, changes nothing: no
 * weight, no slot of the optimizer, no statistic (only the optimizer's own count of steps goes on); its report says `kept` 0. Wrong use
 * throws before anything changes.
 *
 * @param model  a `LayersModel` with any number of inputs and outputs.
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
export function ohemStep(model: LayersModel, options: OhemStepOptions = {}): OhemStep {
  return observedStep(model, options);
}

/** What a trainer shares with its step, to see more of it, and to go on with it in another process. */
interface SharedWithStep {
  /** Is shown every batch when it is scored. */
  observe: Observer;
  /** What the strategy is chosen by. */
  keptOf: KeptBySize;
  /** What the selector remembers. */
  memory: SelectorMemory;
}

/** Builds the step of `ohemStep` around what a trainer shares with it. */
export function observedStep(
  model: LayersModel,
  options: OhemStepOptions,
  shared: Partial<SharedWithStep> = {},
): OhemStep {
  checkOptionNames(NAME, options, STEP_OPTIONS);
  const {observe, keptOf} = shared;
  const settings = {...stepSettings(model, options), ...(shared.memory && {memory: shared.memory})};
  const {memory, granularity} = settings;
  const {backward = 'auto', clipNorm} = options;
  const asked = askedBackward(NAME, backward, granularity);
  if (clipNorm !== undefined) checkFinitePositive(NAME, 'clipNorm', clipNorm);
  const optimizer = modelOptimizer(NAME, model, options.optimizer, 'Pass {optimizer: tf.train.sgd(0.1)}.');
  trainableVariables(model);

  const {choose, prepare, sawKept, giveUpPruning} = strategist(model, asked, keptOf);
  let choice = asked;
  // The names of all weights that were ever trained, in the order of the slots that an optimizer keeps by position.
  const everTrained = new Set(slotOwners(optimizer));
  let taken = 0;
  let isDisposed = false;

  /** Checks a batch, and ties it to what a backward pass needs. */
  const taskOf = (xs: StepTensors, ys: StepTensors, stepOptions?: StepOptions) => {
    checkOptionNames(NAME, stepOptions ?? undefined, BATCH_OPTIONS);
    const {sampleWeight, classWeight, ...context} = stepOptions ?? {};
    if (isDisposed) throw new Error(`${NAME}: the step must not be called after dispose(). Build another one.`);
    const variables = trainableVariables(model);
    const batch = stepBatch(settings, xs, ys, sampleWeight, classWeight);
    return stepTask(settings, variables, batch, {step: taken, ...context});
  };

  const step = (xs: StepTensors, ys: StepTensors, stepOptions?: StepOptions) => {
    const report = tidy(() => {
      const task = observed(taskOf(xs, ys, stepOptions), observe);
      const {variables} = task;
      const snapshot = takeSnapshot(model, optimizer);
      try {
        if (taken === 0) task.checkLoss();
        const {pruning, strategy, why} = choose(task);
        // Looking into the model has run it in training mode.
        snapshot.restore();
        const outcome = backwardPasses[strategy]({...task, pruning});
        if (outcome.planFits === false) giveUpPruning();
        const sound = logicalAnd(outcome.sound, greater(max(outcome.selection.weights), 0)) as Scalar;
        // An optimizer makes a slot at the first gradient of a weight: nothing that is not finite may get into it.
        const isFirst = variables.some(({name}) => !everTrained.has(name));
        const gradients = isFirst ? soundGradients(outcome.gradients, sound) : outcome.gradients;
        const clipped = clipNorm === undefined ? gradients : clipByGlobalNorm(gradients, clipNorm);
        for (const {name} of variables) everTrained.add(name);
        optimizer.applyGradients(inSlotOrder(clipped, [...everTrained]));
        snapshot.keepWhere(sound);
        sawKept(task.batchSize, outcome.selection.indices.size);
        choice = outcome.planFits === false ? {strategy: 'masked', why: OPS_CHANGED} : {strategy, why};
        const reported = reportTensors(task, outcome, sound, settings.reduction);
        memory.advance();
        return reported;
      } catch (error) {
        snapshot.restore();
        memory.stay();
        throw error;
      }
    });
    taken++;
    return stepReport(report);
  };
  return Object.defineProperties(step as OhemStep, {
    strategy: {get: () => choice.strategy},
    why: {get: () => choice.why},
    prepare: {
      value: async (xs: StepTensors, ys: StepTensors, stepOptions?: StepOptions) => {
        let looked = Promise.resolve();
        tidy(() => {
          const task = taskOf(xs, ys, stepOptions);
          const snapshot = takeSnapshot(model, optimizer);
          looked = prepare(task);
          // Looking into the model has run it in training mode.
          snapshot.restore();
        });
        await looked;
      },
    },
    dispose: {
      value: () => {
        isDisposed = true;
        memory.dispose();
      },
    },
  });
}

/** What a step goes by, from its options. */
export function stepSettings(model: LayersModel, options: OhemStepOptions): StepSettings {
  const {loss, select = topK({ratio: 0.75}), reduction = 'mean', lossWeights} = options;
  const {rankBy = 'weighted', granularity = 'sample'} = options;
  readyModel(NAME, model);
  checkSelector(NAME, select);
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  checkOneOf(NAME, 'rankBy', rankBy, ['weighted', 'raw']);
  checkOneOf(NAME, 'granularity', granularity, GRANULARITIES);
  const weights = modelLossWeights(NAME, model, lossWeights);
  return {
    where: NAME,
    model,
    losses: modelLosses(NAME, model, loss),
    lossWeights: weights,
    select,
    reduction,
    rankBy,
    granularity,
    memory: selectorMemory(NAME, select),
  };
}

/** The weights to train now: a layer may be frozen between two steps. */
function trainableVariables(model: LayersModel): Variable[] {
  const variables = model.trainableWeights.map((weight) => weight.read() as Variable);
  if (variables.length === 0) {
    throw typeError(NAME, 'model', 'have a weight to train', 'none', 'Set trainable = true on a layer.');
  }
  return variables;
}
