import {tidy} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkOptionNames} from '../checks';
import type {StepTensors} from '../models/modelTensors';
import {
  type BackwardStrategy,
  type OhemStepOptions,
  STEP_OPTIONS,
  type StepOptions,
  stepSettings,
} from './step/options';
import {type StepReport, stepReport} from './step/report';
import {selectorState} from './step/selectorState';
import {stepper} from './step/trainStep';

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
  checkOptionNames(NAME, options, STEP_OPTIONS);
  const settings = stepSettings(NAME, model, options);
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
    strategy: {get: () => steps.strategy},
    why: {get: () => steps.why},
    dispose: {
      value: () => {
        isDisposed = true;
        state.dispose();
      },
    },
  });
}
