import {atOnePace} from '../kit/atOnePace';
import {byArm} from '../kit/byArm';
import {valueAt} from '../kit/polyline';
import {type Estimate, estimate, pairedDifference} from '../kit/statistics';
import type {StudyReport} from '../kit/study';
import {secondsAt} from '../kit/trainTogether';
import {accuracyFigure} from './accuracyFigure';
import type {OptimizerName, Sweep, TunedRecord, TunedSeed} from './record';

/** By how much a run is ahead of another, at the rates that are best for each. */
interface Ahead {
  afterSteps: Record<string, Estimate>;
  atEqualSeconds: Estimate;
}

export interface TunedArm {
  optimizer: OptimizerName;
  name: string;
  n: number;
  k: number;
  rule: 'hardest' | 'random';
  learningRate: number;
  /** Whether the rate is the smallest or the largest of the grid: a better one may lie beyond. */
  isAtEdge: boolean;
  afterSteps: Record<string, Estimate>;
  atEqualSeconds: Estimate;
  msPerStep: Estimate;
  toPlain?: Ahead;
  toRandom?: Ahead;
}

export interface TunedSummary {
  steps: number;
  /** After which the runs of an optimizer are compared: what the quickest took for all steps. */
  equalSeconds: Record<string, number>;
  arms: TunedArm[];
  sweeps: Sweep[];
}

/** Moments that the tables show. */
const MOMENTS = [100, 300, 1000, 2000, 10_000];

export function tunedReport(seeds: TunedSeed[]): StudyReport {
  const paced = atOnePace(seeds.map(({arms}) => arms)) as TunedRecord[][];
  const arms = byArm(paced);
  const {sweeps} = seeds[0] as TunedSeed;
  return {
    summary: summaryOf(arms, sweeps),
    figures: {accuracy: (theme) => accuracyFigure(arms, theme)},
  };
}

const firstOf = (records: TunedRecord[]) => records[0] as TunedRecord;

function summaryOf(arms: TunedRecord[][], sweeps: Sweep[]): TunedSummary {
  const optimizers = [...new Set(arms.map((records) => firstOf(records).optimizer))];
  const steps = firstOf(arms[0] as TunedRecord[]).measuredAt.at(-1) as number;
  const equalSeconds = Object.fromEntries(
    optimizers.map((name) => {
      const records = arms.flat().filter(({optimizer}) => optimizer === name);
      return [name, Math.min(...records.map((record) => secondsAt(record).at(-1) as number))];
    }),
  );
  return {steps, equalSeconds, sweeps, arms: arms.map((records) => armOf(records, arms, sweeps, equalSeconds))};
}

function armOf(
  records: TunedRecord[],
  arms: TunedRecord[][],
  sweeps: Sweep[],
  equalSeconds: Record<string, number>,
): TunedArm {
  const {optimizer, name, n, k, rule, learningRate, measuredAt} = firstOf(records);
  const ofOptimizer = arms.filter((others) => firstOf(others).optimizer === optimizer);
  const plain = ofOptimizer.find((others) => firstOf(others).n === firstOf(others).k) as TunedRecord[];
  const random = ofOptimizer.find((others) => firstOf(others).name === `${name} random`);
  const moments = measuredAt.filter((step) => MOMENTS.includes(step) || step === measuredAt.at(-1));
  const atStep = (step: number) => (record: TunedRecord) => valueAt(record.measuredAt, record.testAccuracy, step);
  const atSeconds = (record: TunedRecord) =>
    valueAt(secondsAt(record), record.testAccuracy, equalSeconds[optimizer] as number);
  const bySteps = (make: (read: (record: TunedRecord) => number) => Estimate) =>
    Object.fromEntries(moments.map((step) => [step, make(atStep(step))]));
  const ahead = (others: TunedRecord[]): Ahead => {
    const less = (read: (record: TunedRecord) => number) => pairedDifference(records.map(read), others.map(read));
    return {afterSteps: bySteps(less), atEqualSeconds: less(atSeconds)};
  };
  const {tried} = sweeps.find((other) => other.optimizer === optimizer && other.run === name) as Sweep;
  return {
    ...{optimizer, name, n, k, rule, learningRate},
    isAtEdge: [tried[0]?.rate, tried.at(-1)?.rate].includes(learningRate),
    afterSteps: bySteps((read) => estimate(records.map(read))),
    atEqualSeconds: estimate(records.map(atSeconds)),
    msPerStep: estimate(records.map(({msPerStep}) => msPerStep)),
    ...(records !== plain && {toPlain: ahead(plain)}),
    ...(rule === 'hardest' && random && {toRandom: ahead(random)}),
  };
}
