/** @file The table at the head of docs/results.md: a row for each thing that was tried. */
import {existsSync} from 'node:fs';
import type {KeptFile} from '../../studies/command/keptFile';
import type {EpochsRecord} from '../../studies/epochs/record';
import type {EpochsSummary} from '../../studies/epochs/report';
import type {HurtsSummary} from '../../studies/hurts/summary';
import {atOnePace} from '../../studies/kit/atOnePace';
import {byArm} from '../../studies/kit/byArm';
import {valueAt} from '../../studies/kit/polyline';
import {type Estimate, pairedDifference} from '../../studies/kit/statistics';
import {type ArmRecord, secondsAt} from '../../studies/kit/trainTogether';
import type {Compared} from '../../studies/kit/turnSummary';
import type {NoiseRecord} from '../../studies/noise/record';
import type {NoiseSummary} from '../../studies/noise/report';
import type {OrderedSummary} from '../../studies/ordered/report';
import type {PairsSummary} from '../../studies/pairs/report';
import type {ReferenceSummary} from '../../studies/reference/summary';
import type {OptimizerName} from '../../studies/tuned/record';
import type {TunedSummary} from '../../studies/tuned/report';
import {ROOT, readSource} from './sources';
import {keysOf, plusMinus, points, resultsOf} from './studyTables';

/** One row of the table; gains are positive. */
interface Bought {
  task: string;
  /** In code if it is typed so. */
  rule: string;
  /** What it is compared with. */
  less: string;
  measure: string;
  /** After as many steps or epochs. */
  atEqualSteps: Estimate | undefined;
  /** After as many steps, less as many rows at random; undefined if none were trained. */
  toRandom?: Estimate | undefined;
  /** After as many seconds; or the time taken, by that of what it is compared with. */
  atEqualTime: Estimate | {takes: Estimate} | undefined;
  seeds: number;
}

const negated = ({mean, ...rest}: Estimate): Estimate => ({...rest, mean: -mean});
const lastOf = <Value>(values: Record<string, Value> | undefined) =>
  values?.[keysOf(values).at(-1) as string] as Value | undefined;

const PLAIN = 'all rows';

function ofReference(): Bought[] {
  const {arms, seeds} = resultsOf<ReferenceSummary>('reference');
  return ['1024/512', '512/384', '1024/128'].map((name) => {
    const arm = arms.find((other) => other.name === name);
    const toWhole = arm?.toWholeBatch;
    const toRandom = lastOf(arm?.toRandom?.afterSteps);
    const task = 'digits, SGD, one rate for all, by sum';
    const measure = 'test accuracy';
    const [atEqualSteps, atEqualTime] = [lastOf(toWhole?.afterSteps), lastOf(toWhole?.afterSeconds)];
    return {task, rule: hardest(name), less: PLAIN, measure, atEqualSteps, toRandom, atEqualTime, seeds};
  });
}

const hardest = (name: string) => `hardest ${name.split('/')[1]} of ${name.split('/')[0]}`;

function ofTuned(): Bought[] {
  const {arms, seeds} = resultsOf<TunedSummary>('tuned');
  const titles: Record<OptimizerName, string> = {sgd: 'SGD', adam: 'Adam'};
  return arms
    .filter(({name, rule}) => rule === 'hardest' && ['1024/512', '512/384'].includes(name))
    .map(({optimizer, name, toPlain, toRandom}) => ({
      task: `digits, ${titles[optimizer]}, each at its best rate`,
      ...{rule: hardest(name), less: PLAIN, measure: 'test accuracy'},
      ...{atEqualSteps: lastOf(toPlain?.afterSteps), toRandom: lastOf(toRandom?.afterSteps)},
      ...{atEqualTime: toPlain?.atEqualSeconds, seeds},
    }));
}

/** The records of all seeds of a study, by arm. */
function armsOf(study: string): ArmRecord[][] {
  return byArm(atOnePace(seedsOf<ArmRecord[]>(study)));
}

function ofCost(): Bought[] {
  const arms = armsOf('cost');
  const find = (name: string) => arms.find(([first]) => first?.name === name) as ArmRecord[];
  const equal = Math.min(...arms.flat().map((record) => secondsAt(record).at(-1) as number));
  const [plain, mined] = [find('512/512 plain'), find('1024/512 pruned')];
  const atEnd = ({testAccuracy}: ArmRecord) => testAccuracy.at(-1) as number;
  const atEqual = (record: ArmRecord) => valueAt(secondsAt(record), record.testAccuracy, equal);
  return [
    {
      ...{task: 'digits, Adam, crossentropy', rule: hardest('1024/512'), less: PLAIN, measure: 'test accuracy'},
      atEqualSteps: pairedDifference(mined.map(atEnd), plain.map(atEnd)),
      atEqualTime: pairedDifference(mined.map(atEqual), plain.map(atEqual)),
      seeds: plain.length,
    },
  ];
}

function ofOrdered(): Bought[] {
  const {arms, difference, seeds} = resultsOf<OrderedSummary>('ordered-sgd');
  return [
    {
      ...{task: 'digits, logistic regression, 50 epochs', rule: 'Ordered SGD', less: PLAIN, measure: 'test accuracy'},
      atEqualSteps: negated(lastOf(difference) as Estimate),
      atEqualTime: {takes: arms[1]?.stepTimeToSgd as Estimate},
      seeds,
    },
  ];
}

/** The content of the files of a study's seeds. */
function seedsOf<Content>(study: string): Content[] {
  const seeds: Content[] = [];
  for (let seed = 1; existsSync(`${ROOT}docs/results/${study}/seed-${seed}.json`); seed++) {
    const file: KeptFile<Content> = JSON.parse(readSource(`docs/results/${study}/seed-${seed}.json`).text);
    seeds.push(file.content);
  }
  return seeds;
}

/** What a rule measured in each seed of a study with wrong labels. */
const recordsOf = <Rule extends {rule: string; flipped: number}>(study: string, name: string, share: number) =>
  seedsOf<Rule[]>(study).map((ofSeed) => ofSeed.find(({rule, flipped}) => rule === name && flipped === share));

const endOf = (values: number[] | undefined): number => values?.at(-1) ?? Number.NaN;

function ofNoise(): Bought[] {
  const {results, seeds} = resultsOf<NoiseSummary>('noise');
  const ends = (rule: string) =>
    recordsOf<NoiseRecord>('noise', rule, 0.2).map((record) => endOf(record?.testAccuracy));
  return ['topK({k: 50})', 'trimmedTopK({k: 50, skip: 20})'].map((rule) => {
    const toPlain = results.find((other) => other.rule === rule && other.flipped === 0.2)?.toPlain;
    return {
      ...{task: 'digits, 20 % wrong labels', rule: `\`${rule}\``, less: PLAIN, measure: 'test accuracy'},
      ...{atEqualSteps: toPlain?.[20], toRandom: pairedDifference(ends(rule), ends('randomK({k: 50, seed})'))},
      ...{atEqualTime: undefined, seeds},
    };
  });
}

function ofEpochs(study: string, task: string, measure: string, rule: string, flipped: number): Bought {
  const {results, seeds} = resultsOf<EpochsSummary>(study);
  const found = results.find((other) => other.rule === rule && other.flipped === flipped);
  const ends = (name: string) =>
    recordsOf<EpochsRecord>(study, name, flipped).map((record) => endOf(record?.testError));
  const wrong = flipped > 0 ? `, ${100 * flipped} % wrong labels` : '';
  const code = `\`${rule.replace(' and ', '` and `')}\``;
  return {
    ...{task: `${task}${wrong}`, rule: code, less: PLAIN, measure, seeds},
    atEqualSteps: found?.toFull && negated(found.toFull),
    toRandom: pairedDifference(ends('randomK({ratio: 0.5})'), ends(rule)),
    atEqualTime: {takes: found?.seconds as Estimate},
  };
}

function ofImbalance(): Bought[] {
  type Result = {seed: number; rule: string; steps: number; averagePrecision: number};
  const {results}: {results: Result[]} = JSON.parse(readSource('docs/results/imbalance.json').text);
  const last = Math.max(...results.map(({steps}) => steps));
  const at = (rule: string) =>
    results
      .filter((result) => result.rule === rule && result.steps === last)
      .sort((one, other) => one.seed - other.seed)
      .map(({averagePrecision}) => averagePrecision);
  const weighted = at('all(), classWeight {1: 100}');
  return [
    {
      ...{task: 'one positive in 100 points', rule: '`hardNegatives({ratio: 3})`', measure: 'average precision'},
      less: 'all rows, class weights',
      atEqualSteps: pairedDifference(at('hardNegatives({ratio: 3})'), weighted),
      atEqualTime: undefined,
      seeds: weighted.length,
    },
  ];
}

function ofPairs(): Bought[] {
  const {arms, seeds} = resultsOf<PairsSummary>('pairs');
  return ['all digits', 'unseen digits'].map((digits) => {
    const found = arms.find((arm) => arm.name === 'semi-hard' && arm.digits === digits);
    return {
      ...{
        task: `embedding of ${digits}`,
        rule: 'semi-hard triplets',
        less: 'one random triplet each',
        measure: 'recall@1',
      },
      ...{atEqualSteps: found?.recallToRandom, atEqualTime: undefined, seeds},
    };
  });
}

/** What is read of a study whose rules train in turn on scenes of digits. */
interface Scenes {
  rules: {name: string; measures: Record<string, Compared | undefined>}[];
}

function ofScenes(study: string, task: string, measure: [name: string, said: string], names: string[]): Bought[] {
  const {rules, seeds} = resultsOf<Scenes>(study);
  return names.map((name) => {
    const compared = rules.find((rule) => rule.name === name)?.measures[measure[0]];
    return {
      ...{task, rule: name.replace(/^[a-z]+[A-Z]\w*/, '`$&`'), less: rules[0]?.name ?? '', measure: measure[1]},
      ...{
        atEqualSteps: compared?.toAll,
        toRandom: compared?.toRandom,
        atEqualTime: compared?.toAllAtEqualSeconds,
        seeds,
      },
    };
  });
}

/** Tasks in which the hardest rows may be the wrong ones. */
function ofHurts(): Bought[] {
  const {tasks, seeds} = resultsOf<HurtsSummary>('hurts');
  const rowOf = (
    task: string,
    name: string,
    make: (end: HurtsSummary['tasks'][number]['rules'][number]['end']) => Partial<Bought>,
  ) => {
    const found = tasks.find((other) => other.task === task)?.rules.find((rule) => rule.name === name);
    const [rule, unit = ''] = name.split(', ');
    return {
      ...{task, rule: `\`${rule}\`${unit && `, ${unit}`}`, less: PLAIN, measure: 'test accuracy'},
      ...{atEqualSteps: undefined, atEqualTime: undefined, seeds},
      ...(found && make(found.end)),
    };
  };
  const lessError = ({error}: HurtsSummary['tasks'][number]['rules'][number]['end']) => ({
    atEqualSteps: error?.toAll && negated(error.toAll),
    toRandom: error?.toRandom && negated(error.toRandom),
  });
  return [
    rowOf('autoencoder, 50 % noisy rows', 'topK({ratio: 0.5})', ({error}) => ({
      measure: 'squared error, in % of it',
      atEqualSteps: error?.relative && negated(error.relative),
    })),
    rowOf('few rows', 'topK({ratio: 0.5})', lessError),
    rowOf('sequences', 'topK({ratio: 0.5}), by sequence', lessError),
  ];
}

/** In the order of the table; the rows of a study appear when it has been run. */
const ROWS: {study: string; make: () => Bought[]}[] = [
  {study: 'reference', make: ofReference},
  {study: 'tuned', make: ofTuned},
  {study: 'cost', make: ofCost},
  {study: 'ordered-sgd', make: ofOrdered},
  {
    study: 'detection',
    make: () =>
      ofScenes(
        'detection',
        'boxes around digits',
        ['map50', 'mAP@0.5'],
        ['hardNegatives 3 : 1', 'topKPerGroup', 'positiveNegativeQuota', 'focal loss'],
      ),
  },
  {
    study: 'segmentation',
    make: () => ofScenes('segmentation', 'pixels of digits', ['meanIou', 'mean IoU'], ['topK 25 %', 'aboveThreshold']),
  },
  {study: 'noise', make: ofNoise},
  {
    study: 'epochs',
    make: () =>
      [0, 0.2].map((flipped) =>
        ofEpochs('epochs', 'digits, 20 epochs', 'test accuracy', 'infoBatch() and topK({ratio: 0.5})', flipped),
      ),
  },
  {
    study: 'epochs-mails',
    make: () =>
      [0, 0.2].map((flipped) =>
        ofEpochs('epochs-mails', 'spam, 10 epochs', 'average precision', 'topK({ratio: 0.5})', flipped),
      ),
  },
  {study: 'hurts', make: ofHurts},
  {study: 'pairs', make: ofPairs},
];

const hasRun = (study: string) => existsSync(`${ROOT}docs/results/${study}/results.json`);

export function whatMiningBuys(): string[][] {
  const bought = [...ROWS.filter(({study}) => hasRun(study)).flatMap(({make}) => make()), ...ofImbalance()];
  return [
    [
      ...['task', 'rule', 'compared with', 'measure', 'after equal steps'],
      ...['… less random rows', 'after equal time', 'seeds'],
    ],
    ...bought.map(({task, rule, less, measure, atEqualSteps, toRandom, atEqualTime, seeds}) => [
      ...[task, rule, less, measure, points(atEqualSteps), points(toRandom)],
      atEqualTime && 'takes' in atEqualTime
        ? `takes ${plusMinus(atEqualTime.takes, 2)} of the time`
        : points(atEqualTime),
      `${seeds}`,
    ]),
  ];
}
