import type {Run} from '../../experiment/results';
import {percent} from '../../report/percent';
import type {Curves} from '../protocol';
import {bestAccuracy} from './bestAccuracy';
import {type ComparedRuns, comparedRuns} from './comparedRuns';

/** All that the sentence is computed from. */
export interface Standings {
  runs: readonly Run[];
  /** In the order of the runs. */
  curves: readonly Pick<Curves, 'testAccuracy'>[];
  /** Which run the reader looks into. */
  shown: number;
  /** Digits that the accuracy is measured on. */
  testCount: number;
  /** Steps that each run will take. */
  steps: number;
}

/** What to look for, before anything has happened. */
export function lookFor(runs: readonly Run[], preferred?: Run): string {
  const compared = comparedRuns(runs, preferred);
  if (!compared) return runs.length === 0 ? 'Choose a run to begin.' : 'Watch how the accuracy grows with the steps.';
  const {mined, full, random} = compared;
  const subject = `Watch whether ${mined.name}, which learns from the ${count(mined.k)} hardest of ${count(mined.n)} digits,`;
  if (full) return `${subject} keeps up with ${full.name}, which learns from all.`;
  if (random) return `${subject} gets ahead of ${random.name}, which learns from as many by chance.`;
  return `Watch which digits ${mined.name} keeps: the ${count(mined.k)} hardest of each ${count(mined.n)}.`;
}

/**
 * What has happened, in one or two sentences with numbers of the last step at which all compared
 * runs were measured. A difference counts as one if it exceeds two standard errors.
 *
 *     margin = 2 √(p (1 − p) / T + q (1 − q) / T),  T test digits
 */
export function whatHappened({runs, curves, shown, testCount, steps}: Standings): string {
  const preferred = runs[shown];
  const compared = comparedRuns(runs, preferred);
  const accuraciesOf = (run: Run) => curves[runs.indexOf(run)]?.testAccuracy ?? [];
  const of = compared ? namedRuns(compared) : preferred ? [preferred] : [];
  const step = lastCommonStep(of.map(accuraciesOf));
  if (step === undefined || step === 0) return lookFor(runs, preferred);
  const opening = step === steps ? `In the end, after ${stepsOf(step)},` : `After ${stepsOf(step)},`;
  const accuracy = (run: Run) => accuraciesOf(run).find((at) => at.step === step)?.accuracy ?? Number.NaN;
  if (!compared) return alone(preferred as Run, accuraciesOf(preferred as Run), opening, accuracy(preferred as Run));
  return comparison(compared, opening, accuracy, testCount) + (step === steps ? ' Another seed may differ.' : '');
}

const namedRuns = ({mined, full, random}: ComparedRuns) =>
  [mined, full, random].filter((run): run is Run => run !== undefined);

function comparison(
  {mined, full, random}: ComparedRuns,
  opening: string,
  accuracy: (run: Run) => number,
  testCount: number,
): string {
  const own = accuracy(mined);
  const start = `${opening} ${mined.name} is at ${percent(own)}`;
  const verdicts = [full, random].map((other) => other && verdictOn(own, accuracy(other), testCount));
  const fullPart = full
    ? `${start} with ${shareOf(mined.k / full.k)} of the backward rows of ${full.name}, which is at ` +
      `${percent(accuracy(full))}: ${verdicts[0]}.`
    : `${start} and learned from ${shareOf(mined.k / mined.n)} of the digits that it saw.`;
  if (!random) return fullPart;
  // The margins are about the same: once is enough.
  const isLevelToo = verdicts.every((verdict) => verdict?.startsWith(LEVEL));
  const randomPart = `${random.name}, with as many rows by chance, is at ${percent(accuracy(random))}`;
  return `${fullPart} ${randomPart}: ${isLevelToo ? `${LEVEL}, too` : verdicts[1]}.`;
}

const LEVEL = 'level';

/** How far the first run is ahead, in words that claim no more than was measured. */
function verdictOn(own: number, other: number, testCount: number): string {
  const margin = 2 * Math.sqrt((own * (1 - own) + other * (1 - other)) / testCount);
  const points = (share: number) => (100 * share).toFixed(1);
  if (Math.abs(own - other) <= margin) {
    return `${LEVEL}, as far as ${count(testCount)} test digits can tell (± ${points(margin)} points)`;
  }
  return `mining is ${points(Math.abs(own - other))} points ${own > other ? 'ahead' : 'behind'}`;
}

function alone({name}: Run, accuracies: Curves['testAccuracy'], opening: string, accuracy: number): string {
  const best = bestAccuracy(accuracies);
  const before =
    best && best.accuracy > accuracy ? `; its best was ${percent(best.accuracy)}, after ${stepsOf(best.step)}` : '';
  return `${opening} ${name} is at ${percent(accuracy)}${before}.`;
}

/** The last step that is in all of some curves. */
function lastCommonStep(curves: readonly Curves['testAccuracy'][]): number | undefined {
  const [first, ...others] = curves;
  return first
    ?.map(({step}) => step)
    .filter((step) => others.every((curve) => curve.some((at) => at.step === step)))
    .at(-1);
}

const count = (number: number) => number.toLocaleString('en-US');
const stepsOf = (step: number) => `${count(step)} ${step === 1 ? 'step' : 'steps'}`;
const shareOf = (share: number) => percent(share).replace('.0 %', ' %');
