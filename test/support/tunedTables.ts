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
      ...steps.map((step) => percent(arm.afterSteps[step] as TunedArm['atEqualSeconds'])),
      percent(arm.atEqualSeconds),
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

/** The run whose lead is judged, and the other mined ones. */
const LEADER = '1024/512';
const OTHERS = ['512/384', '1024/128'];

/** How much of what mining is ahead is left when every run has its own best rate. */
function verdict(): string {
  const {arms, steps} = resultsOf<TunedSummary>(STUDY);
  const {arms: untuned} = resultsOf<ReferenceSummary>('reference');
  const optimizers = [...new Set(arms.map(({optimizer}) => optimizer))];
  const before = (name: string) => untuned.find((arm) => arm.name === name)?.toWholeBatch?.afterSteps[steps];
  /** Something of a run by each optimizer. */
  const per = (name: string, make: (arm: TunedArm | undefined) => string) =>
    optimizers
      .map((optimizer) => {
        const found = arms.find((arm) => arm.optimizer === optimizer && arm.name === name);
        return `${make(found)} by ${TITLES[optimizer]}`;
      })
      .join(' and ');
  const toPlain = (arm: TunedArm | undefined) => arm?.toPlain?.afterSteps[steps];
  const less = (difference: Estimate | undefined) => points(difference, 2);
  return [
    `At one rate for all, by the sum, ${LEADER} is ${less(before(LEADER))} points ahead of 512/512 after ` +
      `${count(steps)} steps. With a rate for each it is ${per(LEADER, (arm) => less(toPlain(arm)))} points ahead, and ` +
      `${per(LEADER, (arm) => less(arm?.toRandom?.afterSteps[steps]))} ahead of as many random rows.`,
    `After equal time the difference to 512/512 is ${per(LEADER, (arm) => less(arm?.toPlain?.atEqualSeconds))}.`,
    ...OTHERS.map(
      (name) =>
        `The difference of ${name} to 512/512 is ${less(before(name))} points at one rate for all, and with a rate for ` +
        `each ${per(name, (arm) => less(toPlain(arm)))}.`,
    ),
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
