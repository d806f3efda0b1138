import {dispose, type Optimizer, type Tensor, type Tensor2D, tensor, tidy, train} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {
  halfSquaredError,
  type OhemStep,
  type OhemStepOptions,
  ohemStep,
  type RowContext,
  type StepReport,
} from 'ohem-tfjs';
import type {DigitData} from '../data/digits';
import {imagesOf, labelsOf, type RowStream, rowStream} from './batches';
import {guesses} from './guesses';
import {median} from './median';
import {type HeldBatch, holdBatch, lossHistograms, type MinedBatch} from './minedBatch';
import {referenceModel} from './model';
import type {LossHistograms, Run, RunResult, Settings} from './results';
import {isMeasured, isPictured} from './schedule';
import {selectorFor} from './selectorFor';
import {testAccuracy} from './testAccuracy';

const EVEN_SCHEDULE: MeasuringSchedule = {isMeasured, isPictured};

/** Steps over which the time shown during a run is measured. */
const RECENT_STEPS = 25;

export type TrainAndTest = Pick<DigitData, 'train' | 'test'>;

/** All that a run needs to resume. */
export interface RunState {
  result: RunResult;
  /** Milliseconds of every step. */
  stepTimes: number[];
  /** In the order of `model.getWeights()`. */
  weights: Float32Array[];
}

/** When what is measured, of a run of `steps` steps. */
export interface MeasuringSchedule {
  isMeasured(step: number, steps: number): boolean;
  isPictured(step: number, steps: number): boolean;
}

/** What a run does in another way than those of the experiment. */
export interface RunVariant {
  schedule?: MeasuringSchedule;
  /** In place of the experiment's loss, selector and reduction, or beside them. */
  step?: Omit<Partial<OhemStepOptions>, 'optimizer'>;
  /** In place of plain SGD; the run disposes it. */
  optimizer?: (learningRate: number) => Optimizer;
  /**
   * What the selector gets beside the losses, from their one-hot labels; the run disposes its
   * tensors.
   */
  rowContext?: (ys: Tensor2D) => RowContext;
}

/** Where a run is after a step. */
export interface RunProgress {
  /** Steps taken. */
  step: number;
  /** Wall-clock milliseconds of this step, from its rows to its figures. */
  ms: number;
  /** Mean loss of the rows that this step backpropagated. */
  selectedLoss: number;
  /** At the last measurement. */
  testAccuracy: number;
  /** Median of the latest steps. */
  msPerStep: number;
  /** All curves so far; the next step adds to them. */
  result: RunResult;
  /** How gradients are computed, and why that way. */
  strategy: OhemStep['strategy'];
  why: string;
  /** Reads the batch of this step from the device; call it before asking for the next step. */
  batch(): Promise<MinedBatch>;
  /**
   * What the network takes some digits of the training set for, after this step; call it before
   * asking for the next one.
   */
  guesses(rows: ArrayLike<number>): Promise<Int32Array>;
  /** Copies all that the run needs to resume; call it before asking for the next step. */
  state(): Promise<RunState>;
}

/** No loss of a batch is finite any more. */
export class DivergedError extends Error {
  override name = 'DivergedError';
}

/**
 * Trains one run of the experiment, a step for each `next()`.
 *
 *     w ← w − η ∇ Σ ½ ‖p − y‖²,  the sum over the k selected of n rows
 *
 * It measures the accuracy on the test digits before the first step, every so often, and after the
 * last one. The same settings and digits give the same curves; so does a run that resumes from the
 * state of one that was stopped.
 *
 * @param digits  images to train and to test on.
 * @param settings  steps, learning rate and seed; the backend has to be set already.
 * @param from  a state of the same run, with the same digits and settings.
 * @param variant  what this run does in another way than those of the experiment.
 * @returns a generator that yields after every step; leaving its loop disposes what it made.
 * @throws DivergedError if no loss of a batch is finite.
 */
export async function* trainRun(
  run: Run,
  digits: TrainAndTest,
  settings: Settings,
  from?: RunState,
  {schedule = EVEN_SCHEDULE, step: stepOptions, optimizer: makeOptimizer = train.sgd, rowContext}: RunVariant = {},
): AsyncGenerator<RunProgress, void, undefined> {
  const {steps, learningRate, seed} = settings;
  const result: RunResult = from ? structuredClone(from.result) : emptyResult(run);
  const stepTimes = [...(from?.stepTimes ?? [])];
  const stream = rowStream(digits.train.count, seed);
  const model = referenceModel(seed);
  const optimizer = makeOptimizer(learningRate);
  const options = {
    loss: halfSquaredError(),
    select: selectorFor(run, seed),
    optimizer,
    reduction: 'sum',
    ...stepOptions,
  } as const;
  const step = ohemStep(model, options);
  const recipe: Recipe = {run, stream, steps, schedule, step, isSum: options.reduction === 'sum', rowContext};
  const measure = async () => {
    result.testAccuracy.push({step: result.steps.length, accuracy: await testAccuracy(model, digits.test)});
  };
  let held: HeldBatch | undefined;
  try {
    if (from) restoreWeights(model, from.weights);
    else await measure();
    while (result.steps.length < steps) {
      const start = performance.now();
      held?.dispose();
      const {report, batch} = takeStep(recipe, digits, result.steps.length);
      held = batch;
      const figures = await readFigures(recipe, report, batch, result.steps.length + 1);
      const ms = round(performance.now() - start, 5);
      stepTimes.push(ms);
      record(result, figures);
      result.msPerStep = median(result.steps.length < steps ? stepTimes.slice(-RECENT_STEPS) : stepTimes);
      if (schedule.isMeasured(figures.step, steps)) await measure();
      yield {
        step: figures.step,
        ms,
        selectedLoss: figures.selectedLoss,
        testAccuracy: result.testAccuracy.at(-1)?.accuracy ?? Number.NaN,
        msPerStep: result.msPerStep,
        result,
        strategy: step.strategy,
        why: step.why,
        batch: batch.read,
        guesses: (rows) => guesses(model, digits.train, rows),
        state: async () => ({
          result: structuredClone(result),
          stepTimes: [...stepTimes],
          weights: await readWeights(model),
        }),
      };
    }
  } finally {
    held?.dispose();
    step.dispose();
    optimizer.dispose();
    model.dispose();
  }
}

const emptyResult = (run: Run): RunResult => ({
  ...run,
  steps: [],
  selectedLoss: [],
  batchLoss: [],
  testAccuracy: [],
  histograms: [],
  msPerStep: Number.NaN,
});

interface StepFigures {
  step: number;
  selectedLoss: number;
  batchLoss: number;
  histograms?: LossHistograms;
}

/** What stays the same from step to step of a run. */
interface Recipe {
  run: Run;
  stream: RowStream;
  steps: number;
  schedule: MeasuringSchedule;
  step: OhemStep;
  /** Whether the loss of a report is a sum over the kept rows, not a mean. */
  isSum: boolean;
  rowContext: RunVariant['rowContext'];
}

/**
 * The step after `taken` others. It tells the selector how many that were: a random draw is then
 * the same after a resume.
 */
function takeStep(
  {run: {n}, stream, step, rowContext}: Recipe,
  {train}: TrainAndTest,
  taken: number,
): {report: StepReport; batch: HeldBatch} {
  const rows = stream.rowsAt(taken * n, n);
  const xs = imagesOf(train, rows);
  const ys = labelsOf(train, rows);
  const context = rowContext?.(ys);
  try {
    const report = step(xs, ys, {step: taken, ...context});
    return {report, batch: holdBatch(rows, report)};
  } finally {
    dispose([xs, ys]);
    dispose({...context});
  }
}

async function readFigures(
  {run: {name}, steps, schedule, isSum}: Recipe,
  report: StepReport,
  batch: HeldBatch,
  step: number,
): Promise<StepFigures> {
  const {loss, batchLoss, kept} = await report.read();
  if (kept === 0) {
    throw new DivergedError(`trainRun: losses must stay finite, got none that is at step ${step} of ${name}.`);
  }
  const figures = {step, selectedLoss: round(isSum ? loss / kept : loss, 7), batchLoss: round(batchLoss, 7)};
  const isPictured = schedule.isPictured(step, steps);
  return isPictured ? {...figures, histograms: lossHistograms(await batch.read(), step)} : figures;
}

function record(result: RunResult, {step, selectedLoss, batchLoss, histograms}: StepFigures): void {
  result.steps.push(step);
  result.selectedLoss.push(selectedLoss);
  result.batchLoss.push(batchLoss);
  if (histograms) result.histograms.push(histograms);
}

/** Rounds to the significant digits of float32, and no more characters in a file. */
const round = (value: number, digits: number) => Number(value.toPrecision(digits));

async function readWeights(model: LayersModel): Promise<Float32Array[]> {
  return Promise.all(model.getWeights().map(async (weight) => Float32Array.from(await weight.data())));
}

function restoreWeights(model: LayersModel, weights: readonly Float32Array[]): void {
  tidy(() => {
    const shapes = model.getWeights().map(({shape}) => shape);
    model.setWeights(weights.map((values, index): Tensor => tensor(values, shapes[index] as number[])));
  });
}
