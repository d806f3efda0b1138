/** @file The tables of docs/results.md and of the README, from the results of the studies. */
import {existsSync} from 'node:fs';
import type {CostSummary} from '../../studies/cost/report';
import type {DetectionSummary} from '../../studies/detection/report';
import type {EpochsSummary} from '../../studies/epochs/report';
import type {Estimate} from '../../studies/kit/statistics';
import type {Compared} from '../../studies/kit/turnSummary';
import type {LabelsSummary} from '../../studies/labels/report';
import type {NoiseSummary} from '../../studies/noise/report';
import type {OrderedSummary} from '../../studies/ordered/report';
import type {PairsSummary} from '../../studies/pairs/report';
import type {ReferenceArm, ReferenceSummary} from '../../studies/reference/summary';
import type {RulesSummary} from '../../studies/rules/report';
import type {SegmentationSummary} from '../../studies/segmentation/report';
import type {MarkedTable} from './markedTable';
import {markdownTable} from './resultTables';
import {ROOT, readSource} from './sources';

const RESULTS = 'docs/results.md';

export const resultsOf = <Summary>(study: string): Summary & {seeds: number} =>
  JSON.parse(readSource(`docs/results/${study}/results.json`).text);

/** JSON has no NaN: the margin of a single seed, and what was not reached, are null. */
const isNumber = (value: number | null) => value !== null && Number.isFinite(value);

/** `88.5 ± 0.4`; a dash for what is not there. */
export function plusMinus({mean, margin}: Estimate, digits: number, factor = 1): string {
  if (!isNumber(mean)) return '–';
  return `${(factor * mean).toFixed(digits)}${isNumber(margin) ? ` ± ${(factor * margin).toFixed(digits)}` : ''}`;
}

export const percent = (estimate: Estimate, digits = 1) => {
  const text = plusMinus(estimate, digits, 100);
  return text === '–' ? text : `${text} %`;
};

/** With a sign; **bold** where the interval leaves out 0. */
export function points(estimate: Estimate | undefined, least = 1): string {
  if (!estimate || !isNumber(estimate.mean)) return '–';
  const {mean, margin} = estimate;
  // With one digit, ± 0.05 would read as ± 0.1 beside a difference of 0.1.
  const digits = Math.abs(mean) < 0.005 ? Math.max(2, least) : least;
  const text = plusMinus({...estimate, mean: Math.abs(mean)}, digits, 100);
  const signed = `${mean < 0 ? '−' : '+'}${text}`;
  return isNumber(margin) && Math.abs(mean) > margin ? `**${signed}**` : signed;
}

export const count = (number: string | number) => Number(number).toLocaleString('en-US');
export const keysOf = (record: Record<string, unknown> | undefined) => Object.keys(record ?? {});

const reference = () => resultsOf<ReferenceSummary>('reference');
const first = (arms: ReferenceArm[]) => arms[0] as ReferenceArm;

function referenceAccuracy(): string[][] {
  const {arms} = reference();
  const steps = keysOf(first(arms).afterSteps);
  return [
    ['run', ...steps.map((step) => `${count(step)} steps`), 'worst fall', 'time per step'],
    ...arms.map(({name, afterSteps, worstFall, msPerStep}) => [
      name,
      ...steps.map((step) => percent(afterSteps[step] as Estimate)),
      `${(100 * worstFall.mean).toFixed(1)} points`,
      `${msPerStep.mean.toFixed(0)} ms`,
    ]),
  ];
}

function referenceDifferences(): string[][] {
  const {arms} = reference();
  const steps = keysOf(first(arms).afterSteps);
  const row = (name: string, differences: Record<string, Estimate> | undefined) => [
    name,
    ...steps.map((step) => points(differences?.[step])),
  ];
  return [
    ['points of test accuracy', ...steps.map((step) => `${count(step)} steps`)],
    ...arms
      .filter(({toRandom}) => toRandom)
      .flatMap(({name, toWholeBatch, toRandom}) => [
        row(`${name} less 512/512`, toWholeBatch?.afterSteps),
        row(`${name} less as many at random`, toRandom?.afterSteps),
      ]),
  ];
}

function referenceEqualCost(): string[][] {
  const {arms} = reference();
  const [examples, seconds] = [keysOf(first(arms).afterExamples), keysOf(first(arms).afterSeconds)];
  return [
    [
      'run',
      ...examples.map((number) => `${count(number)} examples`),
      ...seconds.map((number) => `${number} s`),
      `${seconds.at(-1)} s, less 512/512`,
    ],
    ...arms.map(({name, afterExamples, afterSeconds, toWholeBatch}) => [
      name,
      ...examples.map((number) => percent(afterExamples[number] as Estimate)),
      ...seconds.map((number) => percent(afterSeconds[number] as Estimate)),
      toWholeBatch ? points(toWholeBatch.afterSeconds[seconds.at(-1) as string]) : '',
    ]),
  ];
}

function selectedLoss(): string[][] {
  return [
    ['run', 'n : k', 'mean loss of the backpropagated rows, last 100 steps'],
    ...reference()
      .arms.filter(({rule}) => rule === 'hardest')
      .sort((one, other) => one.n / one.k - other.n / other.k)
      .map(({name, n, k, selectedLoss: loss}) => [name, (n / k).toFixed(2), plusMinus(loss, 3)]),
  ];
}

function readmeHeadline(): string[][] {
  const {arms} = reference();
  const steps = keysOf(first(arms).afterSteps);
  const [early, late] = ['100', steps.at(-1) as string];
  return [
    [
      'run',
      `test accuracy after ${count(early)} steps`,
      `after ${count(late)} steps`,
      'ahead of as many rows at random then',
      'time per step',
    ],
    ...arms
      .filter(({rule}) => rule === 'hardest')
      .map(({name, afterSteps, toRandom, msPerStep}) => [
        name,
        percent(afterSteps[early] as Estimate),
        percent(afterSteps[late] as Estimate),
        toRandom ? `${points(toRandom.afterSteps[late])} points`.replace(/^\*\*(.*)\*\* points$/, '**$1 points**') : '',
        `${msPerStep.mean.toFixed(0)} ms`,
      ]),
  ];
}

/** Kawaguchi & Lu 2020, Table 1: test error in %, mean and standard deviation of 10 seeds. */
const PUBLISHED: Record<string, Record<string, string>> = {
  'ordered-sgd': {SGD: '7.70 (0.06)', 'Ordered SGD': '7.35 (0.04)', difference: '−0.35'},
  'ordered-sgd-lenet': {SGD: '0.65 (0.04)', 'Ordered SGD': '0.57 (0.06)', difference: '−0.08'},
};

function orderedSgd(study: string): string[][] {
  const {arms, difference} = resultsOf<OrderedSummary>(study);
  const published = PUBLISHED[study] as Record<string, string>;
  const deviating = ({mean, deviation}: Estimate) =>
    `${(100 * mean).toFixed(2)}${isNumber(deviation) ? ` (${(100 * deviation).toFixed(2)})` : ''}`;
  const epochs = keysOf(difference);
  return [
    [
      'test error in %',
      'published',
      ...epochs.map((epoch) => `here, ${epoch} epochs`),
      'here, best epoch',
      'training error here',
      'rows of 64 kept at the end',
      'time of all steps, SGD = 1',
    ],
    ...arms.map(({name, testError, bestTestError, trainError, kept, stepTimeToSgd}) => [
      name,
      published[name] as string,
      ...epochs.map((epoch) => deviating(testError[epoch] as Estimate)),
      deviating(bestTestError),
      deviating(trainError),
      [...new Set(kept)].sort((one, other) => one - other).join(' or '),
      stepTimeToSgd.mean.toFixed(2),
    ]),
    [
      'difference',
      published.difference as string,
      ...epochs.map((epoch) => points(difference[epoch], 2)),
      '',
      '',
      '',
      '',
    ],
  ];
}

const noiseResults = () => {
  const {results} = resultsOf<NoiseSummary>('noise');
  const shares = [...new Set(results.map(({flipped}) => flipped))];
  const rules = [...new Set(results.map(({rule}) => rule))];
  type Result = NoiseSummary['results'][number];
  const find = (rule: string, share: number) =>
    results.find((other) => other.rule === rule && other.flipped === share) as Result;
  const last = keysOf(results[0]?.afterEpochs).at(-1) as string;
  return {shares, rules, find, header: shares.map((share) => `${(100 * share).toFixed(0)} % wrong`), last};
};

function noiseAccuracy(): string[][] {
  const {shares, rules, find, header, last} = noiseResults();
  return [
    ['test accuracy', 'after', ...header],
    ...rules.flatMap((rule) =>
      ['5', last].map((epochs) => [
        `\`${rule}\``,
        `${epochs} epochs`,
        ...shares.map((share) => percent(find(rule, share).afterEpochs[epochs] as Estimate)),
      ]),
    ),
  ];
}

function noiseDifferences(): string[][] {
  const {shares, rules, find, header, last} = noiseResults();
  return [
    ['points less `all()`', 'after', ...header],
    ...rules
      .slice(1)
      .flatMap((rule) =>
        ['5', last].map((epochs) => [
          `\`${rule}\``,
          `${epochs} epochs`,
          ...shares.map((share) => points(find(rule, share).toPlain?.[epochs])),
        ]),
      ),
  ];
}

function cost(): string[][] {
  const {arms, equalSeconds, steps} = resultsOf<CostSummary>('cost');
  const levels = [0.9, 0.93, 0.95];
  const reached = (found: Estimate | undefined, digits: number, unit: string) =>
    found ? `${plusMinus(found, digits)}${unit}` : 'not reached';
  return [
    [
      'run',
      'time of a step, plain = 1',
      ...levels.map((level) => `to ${100 * level} %`),
      'steps to 95 %',
      `accuracy after ${equalSeconds} s`,
      `after ${steps} steps`,
    ],
    ...arms.map(({name, stepTimeToPlain, secondsTo, stepsTo, accuracyAtEqualSeconds, finalAccuracy}) => [
      name,
      plusMinus(stepTimeToPlain, 2),
      ...levels.map((level) => reached(secondsTo[level], 1, ' s')),
      reached(stepsTo[0.95], 0, ''),
      percent(accuracyAtEqualSeconds),
      percent(finalAccuracy),
    ]),
  ];
}

function rules(): string[][] {
  const {rules: all} = resultsOf<RulesSummary>('rules');
  const steps = keysOf(all[0]?.afterSteps);
  const last = steps.at(-1) as string;
  return [
    [
      'rule',
      ...steps.map((step) => `${count(step)} steps`),
      '… less `randomK`',
      'mean on the way',
      '… less `randomK`',
      'time per step',
    ],
    ...[...all]
      .sort((one, other) => other.onTheWay.mean - one.onTheWay.mean)
      .map(({name, afterSteps, onTheWay, toRandom, msPerStep}) => [
        `\`${name}\``,
        ...steps.map((step) => percent(afterSteps[step] as Estimate)),
        toRandom ? points(toRandom.afterSteps[last]) : '',
        percent(onTheWay),
        toRandom ? points(toRandom.onTheWay) : '',
        `${msPerStep.mean.toFixed(0)} ms`,
      ]),
  ];
}

function pairs(): string[][] {
  const {arms} = resultsOf<PairsSummary>('pairs');
  return [
    [
      'digits',
      'mined by',
      'recall@1',
      '… less random',
      'MAP@R',
      'before: recall@1',
      'MAP@R',
      'spread, before = 1',
      'loss',
      'collapse seen at step',
    ],
    ...arms.map(({digits, name, recallAt1, meanAveragePrecisionAtR, spread, loss, recallToRandom, collapsedAt}) => [
      digits,
      name,
      percent(recallAt1.after),
      name === 'random triplets' ? '' : points(recallToRandom),
      percent(meanAveragePrecisionAtR.after),
      percent(recallAt1.before),
      percent(meanAveragePrecisionAtR.before),
      plusMinus(spread, 2),
      plusMinus(loss, 3),
      collapsedAt.every((step) => step === null) ? '' : collapsedAt.map((step) => step ?? '–').join(', '),
    ]),
  ];
}

function labelFinders(): string[][] {
  const {finders} = resultsOf<LabelsSummary>('labels');
  return [
    ['wrong labels', 'left out', 'rows', 'precision', 'recall', 'test accuracy', '… less none left out', 'time'],
    ...finders.map(({finder, flipped, named, precision, recall, testAccuracy, toNone, seconds}) => [
      `${(100 * flipped).toFixed(0)} %`,
      LEFT_OUT[finder] ?? `\`${finder}\``,
      finder === 'none left out' ? '' : named.mean.toFixed(0),
      precision && finder !== 'all wrong labels' ? percent(precision) : '',
      finder === 'none left out' || finder === 'all wrong labels' ? '' : percent(recall),
      percent(testAccuracy),
      finder === 'none left out' ? '' : points(toNone),
      seconds.mean === 0 ? '' : `${seconds.mean.toFixed(0)} s`,
    ]),
  ];
}

/** What is no function of the library. */
const LEFT_OUT: Record<string, string> = {
  'none left out': 'none',
  'all wrong labels': 'all wrong labels, as a control',
  'smallest aum': 'smallest `aum`',
  'smallest confidence': 'smallest `confidence`',
  forgetting: 'largest `forgetting`',
};

function coTeaching(): string[][] {
  const {teaching} = resultsOf<LabelsSummary>('labels');
  return [
    ['trained on', 'best epoch', 'last epoch', '… less all rows', '… less its own easiest'],
    ...teaching.map(({name, best, end, toAll, toOwn}) => [
      name,
      percent(best),
      percent(end),
      name === 'all rows' ? '' : points(toAll),
      name === 'co-teaching' ? points(toOwn) : '',
    ]),
  ];
}

function epochs(study: string, error: string): string[][] {
  const {results} = resultsOf<EpochsSummary>(study);
  const hasHard = results.some(({hardError}) => hardError);
  return [
    [
      ...['wrong labels', 'rule', error, '… less full'],
      ...(hasHard ? ['among spam and hard mails', '… less full'] : []),
      ...['rows forward', 'rows backward', 'seconds'],
    ],
    ...results.map(({rule, flipped, testError, toFull, hardError, hardToFull, forward, backward, seconds}) => [
      `${(100 * flipped).toFixed(0)} %`,
      rule.includes('(')
        ? `\`${rule}\``
            .replace(' and ', '` and `')
            .replace(', not', '`, not')
            .replace(/rescaled`$/, 'rescaled')
        : rule,
      percent(testError, 2),
      toFull ? points(toFull, 2) : '',
      ...(hardError ? [percent(hardError, 2), hardToFull ? points(hardToFull, 2) : ''] : []),
      ...[forward, backward, seconds].map((cost) => percent(cost, 0)),
    ]),
  ];
}

/** A rule of a study of scenes: names of the library as code. */
const sceneRule = (name: string) => name.replace(/^[a-z]+[A-Z]\w*/, '`$&`');

/** After the last step, and less the same with everything, and with random rows. */
const ends = ({end, toAll, toRandom}: Compared, place: number) => [
  percent(end),
  place === 0 ? '' : points(toAll),
  place === 1 ? '' : points(toRandom),
];

function detectionPrecision(): string[][] {
  const {rules: all} = resultsOf<DetectionSummary>('detection');
  return [
    ['rule', 'mAP@0.5', '… less all', '… less random', 'mAP@[.5:.95]', '… less all', '… less random'],
    ...all.map(({name, measures}, place) => [
      sceneRule(name),
      ...ends(measures.map50, place),
      ...ends(measures.map, place),
    ]),
  ];
}

function detectionCost(): string[][] {
  const {rules: all, equalSeconds} = resultsOf<DetectionSummary>('detection');
  return [
    [
      ...['rule', 'false alarms per scene, score ≥ 0.5', 'digits found, score ≥ 0.5'],
      ...['false alarms per scene, 80 % of the digits found', 'anchors kept of a batch', 'time per step, all = 1'],
      ...[`mAP@0.5 after ${equalSeconds.toFixed(0)} s`, '… less all'],
    ],
    ...all.map(({name, measures, kept, stepTimeToAll}, place) => [
      sceneRule(name),
      plusMinus(measures.falsePositives.end, 2),
      percent(measures.recall.end),
      plusMinus(measures.falsePositivesAt80.end, 2),
      count(Math.round(kept.mean)),
      stepTimeToAll.mean.toFixed(2),
      percent(measures.map50.atEqualSeconds),
      place === 0 ? '' : points(measures.map50.toAllAtEqualSeconds),
    ]),
  ];
}

function segmentation(): string[][] {
  const {rules: all, equalSeconds} = resultsOf<SegmentationSummary>('segmentation');
  return [
    [
      ...['rule', 'mean IoU', '… less all', '… less random', 'boundary F1', '… less all', 'IoU of digits'],
      ...['pixels kept of a batch', 'time per step, all = 1'],
      ...[`mean IoU after ${equalSeconds.toFixed(0)} s`, '… less all'],
    ],
    ...all.map(({name, measures: {meanIou, boundaryF1, digitIou}, kept, stepTimeToAll}, place) => [
      sceneRule(name),
      ...ends(meanIou, place),
      ...ends(boundaryF1, place).slice(0, 2),
      percent(digitIou.end),
      count(Math.round(kept.mean)),
      stepTimeToAll.mean.toFixed(2),
      percent(meanIou.atEqualSeconds),
      place === 0 ? '' : points(meanIou.toAllAtEqualSeconds),
    ]),
  ];
}

/** By study; one that has not been run has no tables, one that has must be shown. */
const TABLES: {study: string; document: string; name: string; make: () => string[][]}[] = [
  {study: 'reference', document: 'README.md', name: 'headline', make: readmeHeadline},
  {study: 'reference', document: RESULTS, name: 'accuracy', make: referenceAccuracy},
  {study: 'reference', document: RESULTS, name: 'differences', make: referenceDifferences},
  {study: 'reference', document: RESULTS, name: 'equal cost', make: referenceEqualCost},
  {study: 'reference', document: RESULTS, name: 'selected loss', make: selectedLoss},
  {study: 'ordered-sgd', document: RESULTS, name: 'ordered sgd', make: () => orderedSgd('ordered-sgd')},
  {
    study: 'ordered-sgd-lenet',
    document: RESULTS,
    name: 'ordered sgd lenet',
    make: () => orderedSgd('ordered-sgd-lenet'),
  },
  {study: 'noise', document: RESULTS, name: 'noise', make: noiseAccuracy},
  {study: 'noise', document: RESULTS, name: 'noise differences', make: noiseDifferences},
  {study: 'cost', document: RESULTS, name: 'cost', make: cost},
  {study: 'rules', document: RESULTS, name: 'rules', make: rules},
  {study: 'pairs', document: 'docs/pairs.md', name: 'pairs', make: pairs},
  {study: 'labels', document: 'docs/finding-label-errors.md', name: 'label finders', make: labelFinders},
  {study: 'labels', document: 'docs/finding-label-errors.md', name: 'co-teaching', make: coTeaching},
  {study: 'epochs', document: RESULTS, name: 'epochs', make: () => epochs('epochs', 'test error')},
  {
    study: 'epochs-mails',
    document: RESULTS,
    name: 'epochs mails',
    make: () => epochs('epochs-mails', '1 − average precision'),
  },
  {study: 'detection', document: RESULTS, name: 'detection', make: detectionPrecision},
  {study: 'detection', document: RESULTS, name: 'detection cost', make: detectionCost},
  {study: 'segmentation', document: RESULTS, name: 'segmentation', make: segmentation},
];

export const markedTables = (): MarkedTable[] =>
  TABLES.filter(({study}) => existsSync(`${ROOT}docs/results/${study}/results.json`)).map(({document, name, make}) => ({
    document,
    name,
    table: markdownTable(make()),
  }));
