import type {Run, Settings} from '../../examples/mnist/experiment/results';
import {DivergedError, type RunProgress, type TrainAndTest, trainRun} from '../../examples/mnist/experiment/trainRun';
import {estimate} from '../kit/statistics';
import {OPTIMIZERS} from './optimizers';
import type {OptimizerName, RateTried, Sweep} from './record';

/** The share of the steps after which a stage ends, and how many rates it leaves. */
const STAGES = [
  {share: 1 / 8, left: 3},
  {share: 3 / 8, left: 2},
  {share: 1, left: 1},
];

/**
 * The first seeds that are measured, so that a rate that is chosen is one that they train with. By
 * one seed alone, rates win that diverge with others.
 */
export const SWEEP_SEEDS = [1, 2, 3];

/** A run by an optimizer, and the rates to choose from. */
interface SweptRun {
  optimizer: OptimizerName;
  rates: readonly number[];
  run: Run;
}

/** The steps after which rates are dropped, for a run of `steps` steps. */
export const stagesOf = (steps: number): number[] => [...new Set(STAGES.map(({share}) => Math.ceil(share * steps)))];

/** How many steps all rates of a sweep take together with all seeds, if none diverges. */
export function sweepSteps(steps: number, rates: number): number {
  const ends = STAGES.map(({share}) => Math.ceil(share * steps));
  const ofSeed = ends.reduce((sum, end, stage) => {
    const taking = Math.min(rates, STAGES[stage - 1]?.left ?? rates);
    return sum + taking * (end - (ends[stage - 1] ?? 0));
  }, 0);
  return SWEEP_SEEDS.length * ofSeed;
}

type Training = AsyncGenerator<RunProgress, void, undefined>;

interface Contender extends RateTried {
  /** One for each seed. */
  trainings: Training[];
}

/**
 * Finds the learning rate of a run by successive halving: all rates train for an eighth of the
 * steps, the three best of them for three eighths, and the two best of those for all. They are
 * judged by their mean accuracy over some seeds.
 *
 * A rate that is judged after as many steps as it is used for is not favoured because it is quick
 * in the first of them.
 *
 * @param digits  to train on, and, in the place of test digits, those that the rates are judged by.
 * @returns a generator that yields the share of the steps that is done.
 *
 * @see Jamieson & Talwalkar 2016 (arXiv:1502.07943), §3, Algorithm 1
 */
export async function* sweep(
  {optimizer, rates, run}: SweptRun,
  digits: TrainAndTest,
  steps: number,
): AsyncGenerator<number, Sweep, undefined> {
  const due = sweepSteps(steps, rates.length);
  const stages = stagesOf(steps);
  const contenders = rates.map((rate) => contenderOf(rate, {optimizer, run}, digits, steps));
  let [left, taken] = [contenders, 0];
  try {
    for (const [stage, end] of stages.entries()) {
      for (const contender of left) {
        const before = taken;
        yield* judge(contender, end, (step) => (before + step) / due);
        taken += SWEEP_SEEDS.length * (end - (stages[stage - 1] ?? 0));
      }
      const ranked = [...left].sort((one, other) => accuracyAt(stage, other) - accuracyAt(stage, one));
      left = ranked.slice(0, STAGES.at(stage - stages.length)?.left);
      await ended(ranked.slice(left.length));
    }
  } finally {
    await ended(contenders);
  }
  const tried = contenders.map(({rate, accuracies}): RateTried => ({rate, accuracies}));
  return {optimizer, run: run.name, stages, tried, best: (left[0] as Contender).rate};
}

/**
 * Trains the neighbours of the best rate of a sweep for all steps, and those of the rate that is
 * best then, until none is missing.
 *
 * A sweep drops rates early, and a rate that wins in the end may be unsteady at first. What is
 * found here is better than both rates beside it, after as many steps as it is used for.
 *
 * @returns a generator that yields, for each neighbour, the share of it that is done; and the sweep
 *   with all accuracies of these rates.
 */
export async function* climb(
  {tried: before, ...swept}: Sweep,
  run: Run,
  digits: TrainAndTest,
  steps: number,
): AsyncGenerator<number, Sweep, undefined> {
  const {optimizer, stages} = swept;
  const tried = [...before];
  const atEnd = ({accuracies}: RateTried) => accuracies[stages.length - 1] ?? Number.NEGATIVE_INFINITY;
  for (;;) {
    const best = tried.reduce((one, other) => (atEnd(other) > atEnd(one) ? other : one));
    const place = tried.indexOf(best);
    const missing = [place - 1, place + 1].find((other) => tried[other] && atEnd(tried[other]) < 0);
    if (missing === undefined) return {...swept, tried, best: best.rate};
    const {rate} = tried[missing] as RateTried;
    const contender = contenderOf(rate, {optimizer, run}, digits, steps);
    try {
      for (const [stage, end] of stages.entries()) {
        const taken = stages[stage - 1] ?? 0;
        yield* judge(contender, end, (step) => (SWEEP_SEEDS.length * taken + step) / climbSteps(steps));
      }
    } finally {
      await ended([contender]);
    }
    tried[missing] = {rate, accuracies: contender.accuracies};
  }
}

/** How many steps one neighbour takes with all seeds. */
export const climbSteps = (steps: number): number => SWEEP_SEEDS.length * steps;

/** Begins to train a rate with all seeds. */
function contenderOf(
  rate: number,
  {optimizer, run}: Omit<SweptRun, 'rates'>,
  digits: TrainAndTest,
  steps: number,
): Contender {
  const stages = stagesOf(steps);
  const schedule = {isMeasured: (step: number) => stages.includes(step), isPictured: () => false};
  const variant = {schedule, step: {reduction: 'mean'} as const, optimizer: OPTIMIZERS[optimizer].make};
  const trainings = SWEEP_SEEDS.map((seed) => {
    const settings: Settings = {steps, learningRate: rate, seed, backend: 'wasm', runs: [run.name]};
    return trainRun(run, digits, settings, undefined, variant);
  });
  return {rate, accuracies: [], trainings};
}

/**
 * Trains a rate with all seeds to the end of a stage, and adds its mean accuracy.
 *
 * @param shareOf  the share that is done after a number of steps of this stage, of all seeds.
 */
async function* judge(
  {trainings, accuracies}: Contender,
  end: number,
  shareOf: (taken: number) => number,
): AsyncGenerator<number, void, undefined> {
  const judged: number[] = [];
  let taken = 0;
  for (const training of trainings) {
    const before = taken;
    const {accuracy, steps} = yield* trainUpTo(end, training, (step) => shareOf(before + step));
    judged.push(accuracy);
    taken += steps;
  }
  accuracies.push(estimate(judged).mean);
}

/**
 * Trains a rate with one seed to the end of a stage.
 *
 * @returns a generator of shares that are done, with the steps taken and the accuracy; 0 if the
 *   losses are not finite.
 */
async function* trainUpTo(
  end: number,
  training: Training,
  shareOf: (taken: number) => number,
): AsyncGenerator<number, {accuracy: number; steps: number}, undefined> {
  let steps = 0;
  try {
    for (;;) {
      const {value, done} = await training.next();
      if (done) return {accuracy: 0, steps};
      yield shareOf(++steps);
      if (value.step === end) return {accuracy: value.testAccuracy, steps};
    }
  } catch (error) {
    if (error instanceof DivergedError) return {accuracy: 0, steps};
    throw error;
  }
}

async function ended(contenders: Contender[]): Promise<void> {
  for (const {trainings} of contenders) for (const training of trainings) await training.return(undefined);
}

const accuracyAt = (stage: number, {accuracies}: Contender) => accuracies[stage] as number;
