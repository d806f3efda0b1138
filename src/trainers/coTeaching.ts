import {clone, dispose, keep, type Optimizer, tidy} from '@tensorflow/tfjs-core';
import {checkCount, checkUnitInterval, givenOptions, type Nullable, typeError} from '../checks';
import {BATCH_OPTIONS, type StepOptions} from '../data/batchOptions';
import type {TrainableModel} from '../models/functionModel';
import {type OptimizerName, weightsOf} from '../models/model';
import type {Losses} from '../models/modelLosses';
import type {StepTensors} from '../models/modelTensors';
import {linear} from '../schedules/linear';
import {mapSelector} from '../selectors/mapSelector';
import {scheduled} from '../selectors/scheduled';
import {smallestK} from '../selectors/smallestK';
import type {Reduction, Selection, Selector} from '../types';
import {type Stepper, stepper} from './ohemStep';
import {type StepSettings, stepSettings} from './step/options';
import {type Reported, type StepReport, stepReport, tensorsOf} from './step/report';
import {type SelectorState, selectorState} from './step/selection';
import {takeSnapshot} from './step/update';

const NAME = 'coTeaching';

export interface CoTeachingOptions {
  /** Share of wrong labels, in [0, 1): the share of rows left out at the end of the ramp. */
  noiseRate: number;
  /** Number of steps over which the share left out grows linearly from 0; an integer ≥ 1. */
  rampSteps: number;
  /** As in `ohemStep`, for both models. Default: the loss that each was compiled with. */
  loss?: Losses;
  /**
   * One optimizer per model, which stay yours to dispose. Or a name, by which each model gets its
   * own. Default: the optimizer that each was compiled with.
   */
  optimizer?: readonly [Optimizer, Optimizer] | OptimizerName;
  /** How the kept losses are reduced to one number. Default `'mean'`. */
  reduction?: Reduction;
  /** Weight of each output's loss. Default 1 each. */
  lossWeights?: number[] | Record<string, number>;
  /** Largest global norm of the gradients. Default: no limit. */
  clipNorm?: number;
}

const NAMES: Record<keyof CoTeachingOptions, true> = {
  ...{noiseRate: true, rampSteps: true, loss: true, optimizer: true},
  ...{reduction: true, lossWeights: true, clipNorm: true},
};

/** A training step of two models. */
export interface CoTeachingStep {
  (xs: StepTensors, ys: StepTensors, options?: StepOptions): [StepReport, StepReport];
  /** Ends the use of the step. The models and optimizers stay as they are. */
  dispose(): void;
}

/**
 * Builds a training step of two models that select rows for each other, for noisy labels.
 *
 *     kept_a = the (1 − R) · B rows with the smallest losses of b,    kept_b = those of a
 *     R = noiseRate · min(1, step / rampSteps)
 *
 * A network learns correct labels before wrong ones, so rows with small losses are more often
 * labelled correctly. A network that picks its own rows confirms its mistakes; two networks with
 * different weights make different mistakes. Each model runs all rows forward and the kept rows
 * backward, once, so a step costs as much as two steps of `ohemStep`. If the loss of a row is not
 * finite in one model, both leave it out. If a step throws, neither model has changed.
 *
 * The number of kept rows is rounded, and at least 1. (The authors' code divides the mean loss by
 * it a second time. From the end of the ramp on it uses `noiseRate` in place of `noiseRate^c`,
 * which is the same for c = 1.)
 *
 * @param models  two models, built with different weights: two `LayersModel`s or functions.
 * @param options  see {@link CoTeachingOptions}; `noiseRate` and `rampSteps` are required.
 * @returns a function of `xs`, `ys` and batch options that returns the reports of both steps, in
 *   the order of the models; dispose or `read()` both. In each report, `selection` holds the rows
 *   that the other model chose.
 * @throws TypeError or RangeError naming the argument, when it is built, or for a batch when it is
 *   called.
 *
 * @example
 * const build = (seed) => tf.sequential({layers: [tf.layers.dense({
 *   units: 2, activation: 'softmax', inputShape: [3], kernelInitializer: tf.initializers.glorotNormal({seed}),
 * })]});
 * const [a, b] = [build(1), build(2)];
 * const step = coTeaching([a, b], {loss: categoricalCrossentropy(), optimizer: 'adam', noiseRate: 0.5, rampSteps: 1});
 * const batch = () => [tf.randomNormal([8, 3]), tf.oneHot(tf.tensor1d([0, 1, 0, 1, 0, 1, 0, 1], 'int32'), 2)];
 * const [first] = step(...batch());    // (await first.read()).kept is 8
 * const [second] = step(...batch());   // (await second.read()).kept is 4
 *
 * @see Han et al., Co-teaching, NeurIPS 2018, Algorithm 1 (arXiv:1804.06872)
 */
export function coTeaching(
  models: readonly [TrainableModel, TrainableModel],
  options?: Nullable<CoTeachingOptions> | null,
): CoTeachingStep {
  const given = givenOptions<CoTeachingOptions>(NAME, options, Object.keys(NAMES));
  const {selectors, run} = exchange(smallLosses(given));
  const settings = settingsOf(models, given, selectors);
  const states = settings.map(({select}) => selectorState(NAME, select));
  const [ofA, ofB] = settings.map((each, i) => stepper(each, states[i] as SelectorState)) as [Stepper, Stepper];
  let taken = 0;
  let isDisposed = false;
  const step = (xs: StepTensors, ys: StepTensors, options?: StepOptions): [StepReport, StepReport] => {
    if (isDisposed) throw new Error(`${NAME}: the step must not be called after dispose(). Build another one.`);
    const batch = {step: taken, ...givenOptions<StepOptions>(NAME, options, BATCH_OPTIONS)};
    const takenBy = (each: Stepper) => () => each.take(xs, ys, batch).reported;
    const reported = tidy(() => run(settings[1], takenBy(ofA), takenBy(ofB)));
    taken++;
    return reported.map((each) => stepReport(each, settings[0].reduction)) as [StepReport, StepReport];
  };
  return Object.assign(step, {
    dispose() {
      isDisposed = true;
      for (const each of [...states, ofA, ofB]) each.dispose();
    },
  });
}

/**
 * Checks `noiseRate` and `rampSteps`, and builds the rule by which each model selects for the
 * other.
 */
function smallLosses({noiseRate, rampSteps}: CoTeachingOptions): Selector {
  checkUnitInterval(NAME, 'noiseRate', noiseRate);
  checkCount(NAME, 'rampSteps', rampSteps);
  return scheduled(({ratio}) => smallestK({ratio}), linear({from: 1, to: 1 - noiseRate, steps: rampSteps}));
}

function settingsOf(
  models: readonly [TrainableModel, TrainableModel],
  {noiseRate: _, rampSteps: __, optimizer, ...options}: CoTeachingOptions,
  selectors: readonly [Selector, Selector],
): [StepSettings, StepSettings] {
  if (!Array.isArray(models) || models.length !== 2 || models[0] === models[1]) {
    const remedy = 'Build them with different weights.';
    throw typeError(NAME, 'models', 'be a list of two different models', models, remedy);
  }
  const isPair = Array.isArray(optimizer);
  if (isPair ? optimizer.length !== 2 || optimizer[0] === optimizer[1] : typeof (optimizer ?? '') !== 'string') {
    const constraint = 'be the name of an optimizer, or a list of one for each model';
    throw typeError(NAME, 'optimizer', constraint, optimizer);
  }
  const settings = models.map((model, i) => {
    const own: Optimizer | OptimizerName | undefined = isPair ? optimizer[i] : (optimizer as OptimizerName | undefined);
    const select = selectors[i] as Selector;
    return stepSettings(NAME, model, {...options, select, ...(own && {optimizer: own})});
  }) as [StepSettings, StepSettings];
  checkApart(settings);
  return settings;
}

/** Checks that the models share no optimizer and no weight. */
function checkApart([a, b]: [StepSettings, StepSettings]): void {
  if (a.optimizer === b.optimizer) {
    const remedy = 'Compile each with its own, or pass a list of two.';
    throw typeError(NAME, 'optimizer', 'be a different one for each model', 'one that both were compiled with', remedy);
  }
  const ofA = new Set(weightsOf(a.model));
  const shared = weightsOf(b.model).find((weight) => ofA.has(weight));
  if (shared === undefined) return;
  const remedy = 'Build each with layers and variables of its own.';
  throw typeError(NAME, 'models', 'share no weight', shared.name, remedy);
}

/**
 * Lets two steps select for each other. The step of b runs inside that of a, once the losses of a
 * are known, so each model runs forward once.
 */
function exchange(easiest: Selector) {
  let takeOther: (() => Reported) | undefined;
  let other: Reported | undefined;
  let chosenByA: Selection | undefined;
  let chosenByB: Selection | undefined;
  const forA = mapSelector(easiest, (own) => {
    chosenByA = own;
    other = takeOther?.();
    for (const tensor of other ? tensorsOf(other) : []) keep(tensor);
    return copyOf(chosenByB as Selection);
  });
  const forB = mapSelector(easiest, (own) => {
    const {indices, weights} = copyOf(own);
    chosenByB = {indices: keep(indices), weights: keep(weights)};
    return copyOf(chosenByA as Selection);
  });
  return {
    selectors: [forA, forB] as const,
    run({model, optimizer}: StepSettings, takeA: () => Reported, takeB: () => Reported): [Reported, Reported] {
      const before = takeSnapshot(model, optimizer);
      takeOther = takeB;
      try {
        return [takeA(), other as Reported];
      } catch (error) {
        before.restore();
        if (other) dispose(tensorsOf(other));
        throw error;
      } finally {
        if (chosenByB) dispose([chosenByB.indices, chosenByB.weights]);
        [takeOther, other, chosenByA, chosenByB] = [undefined, undefined, undefined, undefined];
      }
    },
  };
}

function copyOf({indices, weights}: Selection): Selection {
  return {indices: clone(indices), weights: clone(weights)};
}
