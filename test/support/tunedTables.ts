/** @file The tables of the study of tuned rates, once it has been run. */
import {existsSync} from 'node:fs';
import type {Estimate} from '../../studies/kit/statistics';
import type {ReferenceSummary} from '../../studies/reference/summary';
import type {OptimizerName} from '../../studies/tuned/record';
import type {TunedArm, TunedSummary} from '../../studies/tuned/report';
import type {MarkedTable} from './markedTable';
import {markdownTable} from './resultTables';
import {ROOT} from './sources';
import {count, keysOf, percent, points, resultsOf} from './studyTables';

const STUDY = 'tuned';
const TITLES: Record<OptimizerName, string> = {sgd: 'SGD', adam: 'Adam'};

/** `0.3`; with a star if it is the first or the last of the grid. */
const rateSaid = ({learningRate, isAtEdge}: TunedArm) => `${learningRate}${isAtEdge ? ' \\*' : ''}`;

function accuracy(): string[][] {
  const {arms, equalSeconds} = resultsOf<TunedSummary>(STUDY);
  const steps = keysOf(arms[0]?.afterSteps);
  const seconds = Object.entries(equalSeconds).map(
    ([name, at]) => `${at.toFixed(0)} s (${TITLES[name as OptimizerName]})`,
  );
  return [
    [
      ...['optimizer', 'run', 'best rate'],
      ...steps.map((step) => `${count(step)} steps`),
      ...[`after ${seconds.join(', ')}`, 'time per step'],
    ],
    ...arms.map((arm) => [
      ...[TITLES[arm.optimizer], arm.name, rateSaid(arm)],
      ...steps.map((step) => percent(arm.afterSteps[step] as TunedArm['atEqualSeconds'], 2)),
      percent(arm.atEqualSeconds, 2),
      `${arm.msPerStep.mean.toFixed(0)} ms`,
    ]),
  ];
}

function ahead(): string[][] {
  const {arms} = resultsOf<TunedSummary>(STUDY);
  const steps = keysOf(arms[0]?.afterSteps);
  return [
    [...['optimizer', 'points of test accuracy'], ...steps.map((step) => `${count(step)} steps`), 'after equal time'],
    ...arms
      .filter(({toRandom}) => toRandom)
      .flatMap(({optimizer, name, toPlain, toRandom}) =>
        (
          [
            [`${name} less 512/512`, toPlain],
            [`${name} less as many at random`, toRandom],
          ] as const
        ).map(([title, less]) => [
          ...[TITLES[optimizer], title],
          ...steps.map((step) => points(less?.afterSteps[step], 2)),
          points(less?.atEqualSeconds, 2),
        ]),
      ),
  ];
}

const MINED = ['1024/512', '512/384', '1024/128'];
const BEST = '1024/512';

/** `+0.3 ± 0.1, …`, in the order of {@link MINED}. */
const listed = (differences: (Estimate | undefined)[]) => {
  const [last, ...others] = differences.map((difference) => points(difference, 2)).reverse();
  return `${others.reverse().join(', ')} and ${last}`;
};

/** What is left of a lead, in words and as a share of what it was. */
function leftOf(now: Estimate | undefined, before: Estimate | undefined): string {
  if (!now || !before || now.mean <= 0 || now.margin === null || now.mean <= now.margin)
    return 'nothing that is clear of 0';
  return `${((100 * now.mean) / before.mean).toFixed(0)} %`;
}

/** How much of what mining is ahead is left when every run has its own best rate. */
function verdict(): string {
  const {arms, steps} = resultsOf<TunedSummary>(STUDY);
  const {arms: untuned} = resultsOf<ReferenceSummary>('reference');
  const find = (optimizer: OptimizerName, name: string) =>
    arms.find((arm) => arm.optimizer === optimizer && arm.name === name);
  const before = (name: string) => untuned.find((arm) => arm.name === name)?.toWholeBatch?.afterSteps[steps];
  const optimizers = [...new Set(arms.map(({optimizer}) => optimizer))];
  const per = (make: (optimizer: OptimizerName) => string) =>
    optimizers.map((optimizer) => `by ${TITLES[optimizer]} ${make(optimizer)}`).join('; ');
  const of = (read: (arm: TunedArm | undefined) => Estimate | undefined) =>
    per((optimizer) => listed(MINED.map((name) => read(find(optimizer, name)))));
  return [
    `Points of test accuracy, for ${MINED.slice(0, -1).join(', ')} and ${MINED.at(-1)}, after ${count(steps)} steps:`,
    `at one rate for all, by the sum, they are ${listed(MINED.map(before))} ahead of 512/512.`,
    `With a rate for each they are, ${of((arm) => arm?.toPlain?.afterSteps[steps])};`,
    `after equal time, ${of((arm) => arm?.toPlain?.atEqualSeconds)}.`,
    `Less as many rows at random they are, ${of((arm) => arm?.toRandom?.afterSteps[steps])}.`,
    `So of the lead of ${BEST} there is left, ${per((optimizer) => leftOf(find(optimizer, BEST)?.toPlain?.afterSteps[steps], before(BEST)))}.`,
  ].join(' ');
}

/** Wraps a paragraph as the documents do. */
const wrapped = (text: string) => text.replace(/(?![^\n]{1,100}$)([^\n]{1,100})\s/g, '$1\n');

export const tunedTables = (): MarkedTable[] =>
  existsSync(`${ROOT}docs/results/${STUDY}/results.json`)
    ? [
        {document: 'docs/results.md', name: 'tuned', table: markdownTable(accuracy())},
        {document: 'docs/results.md', name: 'tuned differences', table: markdownTable(ahead())},
        {document: 'docs/results.md', name: 'tuned verdict', table: wrapped(verdict())},
      ]
    : [];
