/** @file The tables of the study of what hurts, once it has been run. */
import {existsSync} from 'node:fs';
import type {HurtsSummary} from '../../studies/hurts/summary';
import {type Estimate, isClear} from '../../studies/kit/statistics';
import type {MarkedTable} from './markedTable';
import {markdownTable} from './resultTables';
import {ROOT} from './sources';
import {percent, plusMinus, points, resultsOf} from './studyTables';

const STUDY = 'hurts';

type Summary = HurtsSummary['tasks'][number];
type Rule = Summary['rules'][number];

/** A column of a table, and the two of its differences. */
interface Measure {
  title: string;
  name: string;
  at: 'end' | 'onTheWay';
  /** What a number is multiplied by, and its digits; omit for shares, which are percentages. */
  scale?: {factor: number; digits: number};
}

/** With a sign; **bold** if the interval excludes 0. */
function signed(estimate: Estimate | undefined, {factor, digits}: Required<Measure>['scale']): string {
  if (!estimate) return '';
  const text = plusMinus({...estimate, mean: Math.abs(estimate.mean)}, digits, factor);
  const said = `${estimate.mean < 0 ? '−' : '+'}${text}`;
  return isClear(estimate) ? `**${said}**` : said;
}

function cellsOf(rule: Rule, {name, at, scale}: Measure): string[] {
  const {value, toAll, toRandom} = rule[at][name] as Rule['end'][string];
  if (scale) return [plusMinus(value, scale.digits, scale.factor), signed(toAll, scale), signed(toRandom, scale)];
  return [percent(value, 2), ...[toAll, toRandom].map((less) => (less ? points(less, 2) : ''))];
}

const THOUSANDTHS = {factor: 1000, digits: 2};
const NATS = {factor: 1, digits: 3};

/** The name of a rule: code, but for the unit that it mines. */
const ruleSaid = (name: string) => name.replace(/^[^,]+/, '`$&`');

const headOf = (measures: readonly Measure[]) =>
  measures.flatMap(({title}) => [title, '… less `all()`', '… less `randomK`']);

const tasks = () => resultsOf<HurtsSummary>(STUDY).tasks;

function autoencoder(): string[][] {
  const measures: Measure[] = [
    {title: 'squared error, all test rows', name: 'error', at: 'end', scale: THOUSANDTHS},
    {title: 'squared error, easy rows', name: 'easyError', at: 'end', scale: THOUSANDTHS},
  ];
  const shares = tasks().filter(({task}) => task.startsWith('autoencoder'));
  return [
    ['noisy rows', 'rule', ...headOf(measures)],
    ...shares.flatMap(({task, rules}) =>
      rules.map((rule) => [
        /\d+ %/.exec(task)?.[0] ?? '0 %',
        ruleSaid(rule.name),
        ...measures.flatMap((measure) => cellsOf(rule, measure)),
      ]),
    ),
  ];
}

function tableOf(task: string, measures: readonly Measure[]): string[][] {
  const {rules} = tasks().find((other) => other.task === task) as Summary;
  return [
    ['rule', ...headOf(measures)],
    ...rules.map((rule) => [ruleSaid(rule.name), ...measures.flatMap((measure) => cellsOf(rule, measure))]),
  ];
}

const fewRows = () =>
  tableOf('few rows', [
    {title: 'test error, lowest validation loss', name: 'bestError', at: 'end'},
    {title: 'test error, last step', name: 'error', at: 'end'},
    {title: 'test loss, last step', name: 'loss', at: 'end', scale: NATS},
  ]);

const sequences = () =>
  tableOf('sequences', [
    {title: 'error, mean on the way', name: 'error', at: 'onTheWay'},
    {title: 'crossentropy, mean on the way', name: 'loss', at: 'onTheWay', scale: NATS},
    {title: 'crossentropy, last step', name: 'loss', at: 'end', scale: NATS},
  ]);

export const hurtsTables = (): MarkedTable[] =>
  existsSync(`${ROOT}docs/results/${STUDY}/results.json`)
    ? Object.entries({'hurts autoencoder': autoencoder, 'hurts few rows': fewRows, 'hurts sequences': sequences}).map(
        ([name, make]) => ({document: 'docs/results.md', name, table: markdownTable(make())}),
      )
    : [];
