import type {LossHistograms, Run, Settings} from '../../examples/mnist/experiment/results';
import {
  type MeasuringSchedule,
  type RunProgress,
  type RunVariant,
  type TrainAndTest,
  trainRun,
} from '../../examples/mnist/experiment/trainRun';

/** A run of the reference experiment, or one that differs from it. */
export interface Arm extends Run {
  /** Omit for that of all arms. */
  learningRate?: number;
  /** What it does in another way; called for each seed. */
  variant?: (seed: number) => RunVariant;
}

/**
 * The record of a training run: little enough for a repository, enough to draw and to reproduce.
 */
export interface ArmRecord extends Run {
  /**
   * Mean loss of the backpropagated rows in each of the first {@link EXACT_STEPS} steps, as it was
   * computed.
   */
  firstLosses: number[];
  /** Means of it over stretches of {@link STRETCH} steps. */
  losses: number[];
  /** Steps after which the test accuracy was measured. */
  measuredAt: number[];
  testAccuracy: number[];
  /** Seconds that the steps until then took, with all that the machine did beside. */
  seconds: number[];
  /** Median of all steps. */
  msPerStep: number;
  histograms?: LossHistograms[];
}

/**
 * Seconds that the steps until a measurement take: as many medians, since every step of an arm is
 * the same work, and what else the machine happens to do at one of them says nothing about the arm.
 */
export const secondsAt = ({measuredAt, msPerStep}: Pick<ArmRecord, 'measuredAt' | 'msPerStep'>): number[] =>
  measuredAt.map((step) => (step * msPerStep) / 1000);

const EXACT_STEPS = 100;
export const STRETCH = 10;

export interface TogetherOptions {
  steps: number;
  /** Of the arms that have none of their own. */
  learningRate?: number;
  seed: number;
  /** Steps from one measurement of the test accuracy to the next. */
  measureEvery: number;
  /** Steps from one histogram to the next; none are taken if it is left out. */
  pictureEvery?: number;
}

/**
 * Every few steps and after the last: unlike the example's, not moved by the number of steps,
 * so that a shorter training is the beginning of a longer one.
 */
function fixedSchedule({measureEvery, pictureEvery}: TogetherOptions): MeasuringSchedule {
  const isDue = (every: number | undefined, step: number, steps: number) =>
    every !== undefined && (step % every === 0 || step === steps);
  return {
    isMeasured: (step, steps) => isDue(measureEvery, step, steps),
    isPictured: (step, steps) => isDue(pictureEvery, step, steps) || (pictureEvery !== undefined && step === 1),
  };
}

/**
 * Trains several arms in turn, a step each: what else the machine does then meets all of them
 * alike, and their times can be compared.
 *
 * @returns a generator that yields the share of the steps that is done, and at its end returns a
 *   record of each arm, in order.
 */
export async function* trainTogether(
  arms: readonly Arm[],
  digits: TrainAndTest,
  options: TogetherOptions,
): AsyncGenerator<number, ArmRecord[], undefined> {
  const {steps, seed} = options;
  const schedule = fixedSchedule(options);
  const trainings = arms.map(({variant, learningRate = options.learningRate, ...run}) => {
    if (learningRate === undefined) {
      throw new RangeError(`trainTogether: learningRate must be there for ${run.name}, which has none of its own.`);
    }
    const settings: Settings = {steps, learningRate, seed, backend: 'wasm', runs: [run.name]};
    return trainRun(run, digits, settings, undefined, {schedule, ...variant?.(seed)});
  });
  const clocks = arms.map(() => ({ms: 0, seconds: [0]}));
  const latest: RunProgress[] = [];
  try {
    for (let step = 1; step <= steps; step++) {
      for (const [index, training] of trainings.entries()) {
        const {value} = await training.next();
        const progress = value as RunProgress;
        const clock = clocks[index] as (typeof clocks)[number];
        clock.ms += progress.ms;
        if (schedule.isMeasured(step, steps)) clock.seconds.push(rounded(clock.ms / 1000, 3));
        latest[index] = progress;
        yield ((step - 1) * arms.length + index + 1) / (steps * arms.length);
      }
    }
  } finally {
    for (const training of trainings) await training.return(undefined);
  }
  return latest.map(({result}, index) => ({
    name: result.name,
    n: result.n,
    k: result.k,
    rule: result.rule,
    firstLosses: result.selectedLoss.slice(0, EXACT_STEPS),
    losses: stretches(result.selectedLoss),
    measuredAt: result.testAccuracy.map(({step}) => step),
    testAccuracy: result.testAccuracy.map(({accuracy}) => accuracy),
    seconds: (clocks[index] as (typeof clocks)[number]).seconds,
    msPerStep: rounded(result.msPerStep, 1),
    ...(result.histograms.length > 0 && result.rule === 'hardest' && {histograms: result.histograms}),
  }));
}

const stretches = (losses: readonly number[]) =>
  Array.from({length: Math.ceil(losses.length / STRETCH)}, (_, stretch) => {
    const part = losses.slice(stretch * STRETCH, (stretch + 1) * STRETCH);
    return rounded(part.reduce((sum, loss) => sum + loss, 0) / part.length, 4);
  });

const rounded = (value: number, digits: number) => Number(value.toFixed(digits));
