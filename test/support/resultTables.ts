/**
 * @file Makes the tables of the guides from the results that the scripts of the benchmark have
 *   written.
 */
import {readSource} from './sources';

/** A guide and a table that it has to hold. */
export interface GuideTable {
  guide: string;
  results: string;
  table: string;
}

/** Makes a table from the JSON of its results. */
function guideTable<Results>(guide: string, results: string, make: (results: Results) => string[][]): GuideTable {
  const table = markdownTable(make(JSON.parse(readSource(`docs/results/${results}`).text)));
  return {guide: `docs/${guide}`, results, table};
}

/** Rows of cells as Markdown has a table; the first is its head. */
export function markdownTable(rows: string[][]): string {
  const [head, ...rest] = rows as [string[], ...string[][]];
  return [head, head.map(() => '---'), ...rest].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** `86.8 % (85.0 to 88.0)`: mean, least and most. */
function percentages(numbers: number[]): string {
  const [mean, least, most] = spread(numbers).map((number) => (100 * number).toFixed(1));
  return `${mean} % (${least} to ${most})`;
}

function decimals(numbers: number[]): string {
  const [mean, least, most] = spread(numbers).map((number) => number.toFixed(3));
  return `${mean} (${least} to ${most})`;
}

function spread(numbers: number[]): number[] {
  return [meanOf(numbers), Math.min(...numbers), Math.max(...numbers)];
}

function meanOf(numbers: number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

/** Different values of a column, in the order in which they come. */
function valuesOf<Row, Key extends keyof Row>(rows: Row[], column: Key): Row[Key][] {
  return [...new Set(rows.map((row) => row[column]))];
}

interface LabelErrors {
  results: {epoch: number; suspects: number; hardest: number}[];
}

const suspectsFound = ({results}: LabelErrors) => [
  ['epochs', '`suspects(200)`', '`hardest(200)`'],
  ...valuesOf(results, 'epoch').map((epoch) => {
    const seeds = results.filter((row) => row.epoch === epoch);
    return [`${epoch}`, percentages(seeds.map((row) => row.suspects)), percentages(seeds.map((row) => row.hardest))];
  }),
];

interface Imbalance {
  test: {positives: number; negatives: number};
  best: {averagePrecision: number}[];
  results: {rule: string; steps: number; kept: number; averagePrecision: number; meanProbability: number}[];
}

const precisionOfRules = ({test: {positives, negatives}, best, results}: Imbalance) => {
  const moments = valuesOf(results, 'steps');
  const bestOfSeeds = decimals(best.map(({averagePrecision}) => averagePrecision));
  return [
    ['rule', 'rows kept of 200', ...moments.map((steps) => `after ${steps} steps`), 'mean predicted probability'],
    ...valuesOf(results, 'rule').map((rule) => {
      const seedsAt = (steps: number) => results.filter((row) => row.rule === rule && row.steps === steps);
      const last = seedsAt(moments.at(-1) as number);
      return [
        `\`${rule}\``,
        meanOf(last.map(({kept}) => kept)).toFixed(0),
        ...moments.map((steps) => decimals(seedsAt(steps).map(({averagePrecision}) => averagePrecision))),
        `${(100 * meanOf(last.map(({meanProbability}) => meanProbability))).toFixed(1)} %`,
      ];
    }),
    [
      'upper bound',
      '',
      ...moments.map(() => bestOfSeeds),
      `${((100 * positives) / (positives + negatives)).toFixed(1)} %`,
    ],
  ];
};

interface ShardRuns {
  runs: {
    how: string;
    shards: number;
    msPerStep: number;
    perStep: {sent: number; received: number; losses: number};
    kept: [number, number];
    difference: number;
  }[];
}

/** What a step over shards costs beside one of one process. */
function shardsCost({runs}: ShardRuns): string[][] {
  const single = runs.find(({how}) => how === 'one process')?.msPerStep ?? Number.NaN;
  const names: Record<string, string> = {threads: 'shared memory', network: 'TCP and a hub'};
  const kilobytes = (bytes: number) => (bytes === 0 ? '–' : `${(bytes / 1000).toFixed(1)} kB`);
  return [
    ['shards', 'time per step', 'sent', 'received', 'of which losses', 'rows kept by a shard', 'off by'],
    ...runs.map(({how, shards, msPerStep, perStep, kept: [least, most], difference}) => [
      how === 'one process' ? 'none: one process' : `${shards}, ${names[how]}`,
      `${(msPerStep / single).toFixed(2)}×`,
      ...[perStep.sent, perStep.received, perStep.losses].map(kilobytes),
      least === most ? `${most}` : `${least} to ${most}`,
      difference === 0 ? '0' : difference.toExponential(1),
    ]),
  ];
}

export const guideTables = (): GuideTable[] => [
  guideTable('finding-label-errors.md', 'label-errors.json', suspectsFound),
  guideTable('imbalanced-data.md', 'imbalance.json', precisionOfRules),
  guideTable('scaling.md', 'shards.json', shardsCost),
];
