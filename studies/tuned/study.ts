import type {Run} from '../../examples/mnist/experiment/results';
import {parseRuns} from '../../examples/mnist/experiment/runs';
import type {TrainAndTest} from '../../examples/mnist/experiment/trainRun';
import {NO_PARTS, type Parts, type Shelf} from '../kit/parts';
import type {Study, StudySettings} from '../kit/study';
import {type Arm, type ArmRecord, trainTogether} from '../kit/trainTogether';
import {OPTIMIZERS} from './optimizers';
import type {OptimizerName, Sweep, TunedRecord, TunedSeed} from './record';
import {tunedReport} from './report';
import {splitDigits} from './splitDigits';
import {climb, climbSteps, SWEEP_SEEDS, sweep, sweepSteps} from './sweep';

/** Plain training, and each selection with as many rows at random. */
const RUNS = '512/512,512/384,1024/512,1024/128,512/384-random,1024/512-random,1024/128-random';
const NAMES = Object.keys(OPTIMIZERS) as OptimizerName[];

const MEASURE_EVERY = 100;
/** Steps that all runs take in turn, to be timed. */
const TIMED_STEPS = 40;
/** Digits that are enough if only time is measured. */
const FEW = 100;

/** What a test may make smaller. */
export interface TunedSettings extends StudySettings {
  measureEvery: number;
  rates: Record<OptimizerName, number[]>;
  runs: string[];
}

/** A run by an optimizer, before its rate is known. */
interface Contest {
  optimizer: OptimizerName;
  rates: number[];
  run: Run;
}

const contestsOf = ({rates, runs}: TunedSettings): Contest[] =>
  NAMES.flatMap((optimizer) => parseRuns(runs.join(',')).map((run) => ({optimizer, rates: rates[optimizer], run})));

/** The name of a part: letters that are safe in the name of a file. */
const partName = (kind: string, {optimizer, run}: Contest) => `${kind}-${optimizer}-${run.name.replace(/\W/g, '-')}`;

const armOf = ({optimizer, run}: Contest, learningRate: number): Arm & {learningRate: number} => ({
  ...run,
  learningRate,
  variant: () => ({step: {reduction: 'mean'}, optimizer: OPTIMIZERS[optimizer].make}),
});

/** The seed that is trained, and how far it is. */
interface Occasion {
  seed: number;
  settings: TunedSettings;
  parts: Parts;
  progress: {done: number; due: number};
}

/** Every run at the learning rate that is best for it. */
export const tuned: Study<TunedSeed> = {
  name: 'tuned',
  about: 'the reference experiment by SGD and Adam, every run at its own best learning rate',
  seeds: 5,
  steps: 1000,
  settings: (steps) => ({
    steps,
    measureEvery: MEASURE_EVERY,
    reduction: 'mean',
    rates: Object.fromEntries(NAMES.map((name) => [name, [...OPTIMIZERS[name].rates]])),
    sweepSeeds: SWEEP_SEEDS,
    runs: parseRuns(RUNS).map(({name}) => name),
  }),
  async *train(seed, {train, test}, anySettings, parts = NO_PARTS) {
    const settings = anySettings as TunedSettings;
    const contests = contestsOf(settings);
    const {fitted, validation} = splitDigits(train);
    const at: Occasion = {seed, settings, parts, progress: {done: 0, due: dueSteps(contests, settings)}};
    const sweeps: Sweep[] = [];
    for (const contest of contests) sweeps.push(yield* swept(contest, {train: fitted, test: validation}, at));
    const arms = contests.map((contest, index) => armOf(contest, (sweeps[index] as Sweep).best));
    const times = yield* timesOf(arms, {train: fitted, test: {...test, count: Math.min(test.count, FEW)}}, at);
    const records: TunedRecord[] = [];
    for (const [index, contest] of contests.entries()) {
      const {learningRate, ...arm} = arms[index] as Arm & {learningRate: number};
      const record = yield* trained(contest, {...arm, learningRate}, {train: fitted, test}, at);
      records.push({...record, msPerStep: times[index] as number, optimizer: contest.optimizer, learningRate});
    }
    return {sweeps, arms: records};
  },
  report: tunedReport,
};

/** The steps that a seed and the sweeps take, if each climb has one neighbour to train. */
function dueSteps(contests: Contest[], {steps}: TunedSettings): number {
  const swept = contests.reduce((sum, {rates}) => sum + sweepSteps(steps, rates.length) + climbSteps(steps), 0);
  return swept + contests.length * (steps + timedSteps(steps));
}

const timedSteps = (steps: number) => Math.min(steps, TIMED_STEPS);

type Training<Result> = AsyncGenerator<number, Result, undefined>;

/**
 * Takes a part from its shelf, or makes it and keeps it there.
 *
 * @param steps  how many it takes.
 * @param make  yields the share of the part that is done.
 */
async function* part<Part>(
  shelf: Shelf,
  name: string,
  {progress}: Occasion,
  steps: number,
  make: () => Training<Part>,
): Training<Part> {
  const before = progress.done;
  progress.done += steps;
  const found = await shelf.find<Part>(name);
  if (found !== undefined) return found;
  const making = make();
  try {
    for (;;) {
      const {value, done} = await making.next();
      if (done) {
        await shelf.keep(name, value);
        return value;
      }
      yield Math.min(1, (before + value * steps) / progress.due);
    }
  } finally {
    await making.return(undefined as Part);
  }
}

/** The sweep of a run, which all seeds have in common, and the climb from its best rate. */
async function* swept(contest: Contest, digits: TrainAndTest, at: Occasion): Training<Sweep> {
  const {settings, parts} = at;
  const due = sweepSteps(settings.steps, contest.rates.length);
  const {steps} = settings;
  const found = yield* part(parts.ofStudy, partName('sweep', contest), at, due, () => sweep(contest, digits, steps));
  return yield* part(parts.ofStudy, partName('climb', contest), at, climbSteps(steps), () =>
    climb(found, contest.run, digits, steps),
  );
}

/**
 * The time of a step of each run. All runs take some steps in turn, so that their times can be
 * compared. The runs themselves are trained one by one, so that a kill takes one of them.
 */
function timesOf(arms: Arm[], digits: TrainAndTest, at: Occasion): Training<number[]> {
  const {seed, settings, parts} = at;
  const steps = timedSteps(settings.steps);
  return part(parts.ofSeed, 'times', at, steps * arms.length, async function* () {
    const records = yield* trainTogether(arms, digits, {steps, seed, measureEvery: steps});
    return records.map(({msPerStep}) => msPerStep);
  });
}

function trained(
  contest: Contest,
  arm: Arm & {learningRate: number},
  digits: TrainAndTest,
  at: Occasion,
): Training<ArmRecord> {
  const {seed, settings, parts} = at;
  const {steps, measureEvery} = settings;
  // With its rate, so that none of another rate is taken for it.
  const name = partName(`arm-${arm.learningRate}`, contest);
  return part(parts.ofSeed, name, at, steps, async function* () {
    const [record] = yield* trainTogether([arm], digits, {steps, seed, measureEvery});
    return record as ArmRecord;
  });
}
