import type {Run, Settings} from '../../examples/mnist/experiment/results';
import {DivergedError, type RunProgress, type TrainAndTest, trainRun} from '../../examples/mnist/experiment/trainRun';
import {OPTIMIZERS} from './optimizers';
import type {OptimizerName, RateTried, Sweep} from './record';

/** The share of the steps after which a stage ends, and how many rates it leaves. */
const STAGES = [
  {share: 1 / 4, left: 3},
  {share: 1 / 2, left: 2},
  {share: 1, left: 1},
];

/** A seed of weights and order that no measured run has. */
export const SWEEP_SEED = 1000;

/** A run by an optimizer, and the rates to choose from. */
interface SweptRun {
  optimizer: OptimizerName;
  rates: readonly number[];
  run: Run;
}

/** The steps after which rates are dropped, for a run of `steps` steps. */
export const stagesOf = (steps: number): number[] => [...new Set(STAGES.map(({share}) => Math.ceil(share * steps)))];

/** How many steps all rates of a sweep take together, if none diverges. */
export function sweepSteps(steps: number, rates: number): number {
  const ends = STAGES.map(({share}) => Math.ceil(share * steps));
  return ends.reduce((sum, end, stage) => {
    const taking = Math.min(rates, STAGES[stage - 1]?.left ?? rates);
    return sum + taking * (end - (ends[stage - 1] ?? 0));
  }, 0);
}

interface Contender extends RateTried {
  training: AsyncGenerator<RunProgress, void, undefined>;
}

/**
 * Finds the learning rate of a run by successive halving: all rates train for a quarter of the
 * steps, the three best of them for half of the steps, and the two best of those for all.
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
  const schedule = {isMeasured: (step: number) => stages.includes(step), isPictured: () => false};
  const variant = {schedule, step: {reduction: 'mean'} as const, optimizer: OPTIMIZERS[optimizer].make};
  const contenders = rates.map((rate): Contender => {
    const settings: Settings = {steps, learningRate: rate, seed: SWEEP_SEED, backend: 'wasm', runs: [run.name]};
    return {rate, accuracies: [], training: trainRun(run, digits, settings, undefined, variant)};
  });
  let [left, taken] = [contenders, 0];
  try {
    for (const [stage, end] of stages.entries()) {
      for (const contender of left) {
        for await (const step of trainUpTo(end, contender)) yield (taken + step) / due;
        taken += end - (stages[stage - 1] ?? 0);
      }
      const ranked = [...left].sort((one, other) => accuracyAt(stage, other) - accuracyAt(stage, one));
      left = ranked.slice(0, STAGES.at(stage - stages.length)?.left);
      for (const {training} of ranked.slice(left.length)) await training.return(undefined);
    }
  } finally {
    for (const {training} of contenders) await training.return(undefined);
  }
  const tried = contenders.map(({rate, accuracies}): RateTried => ({rate, accuracies}));
  return {optimizer, run: run.name, stages, tried, best: (left[0] as Contender).rate};
}

/** Trains a rate to the end of a stage, if its losses stay finite. */
async function* trainUpTo(end: number, {training, accuracies}: Contender): AsyncGenerator<number, void, undefined> {
  try {
    for (let taken = 1; ; taken++) {
      const {value, done} = await training.next();
      if (done) return;
      yield taken;
      if (value.step === end) {
        accuracies.push(value.testAccuracy);
        return;
      }
    }
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
  }
}

/** Less than any accuracy for a rate that did not get there. */
const accuracyAt = (stage: number, {accuracies}: Contender) => accuracies[stage] ?? -1;
