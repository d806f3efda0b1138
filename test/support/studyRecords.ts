import type {DetectionRecord} from '../../studies/detection/record';
import type {EpochsRecord} from '../../studies/epochs/record';
import type {HurtsRecord, Quality} from '../../studies/hurts/record';
import {kindsPicture, scenePicture} from '../../studies/kit/scenes/scenePicture';
import type {TurnRecord} from '../../studies/kit/trainInTurn';
import type {ArmRecord} from '../../studies/kit/trainTogether';
import type {LabelsRecord} from '../../studies/labels/record';
import type {NoiseRecord} from '../../studies/noise/record';
import type {OrderedRecord} from '../../studies/ordered/record';
import type {PairsRecord} from '../../studies/pairs/record';
import type {SegmentationRecord} from '../../studies/segmentation/record';
import type {SpeedRecord} from '../../studies/speed/record';
import type {TunedSeed} from '../../studies/tuned/record';

interface RecordOptions {
  name: string;
  n?: number;
  k?: number;
  rule?: ArmRecord['rule'];
  /** Test accuracy at the end of the axis that the curve comes near to. */
  ceiling?: number;
  steps?: number;
  every?: number;
  msPerStep?: number;
}

/**
 * An invented training run: its accuracy rises from 0.1 towards a ceiling, a little lower for
 * each further seed.
 */
function armRecord(
  seed: number,
  {name, n = 512, k = 384, rule = 'hardest', ceiling = 0.9, steps = 400, every = 50, msPerStep = 50}: RecordOptions,
): ArmRecord {
  const measuredAt = Array.from({length: steps / every + 1}, (_, place) => place * every);
  const lossAt = (step: number) => 0.45 * Math.exp(-step / 300) + 0.02 * (1 - k / n);
  return {
    name,
    n,
    k,
    rule,
    firstLosses: Array.from({length: Math.min(100, steps)}, (_, step) => lossAt(step)),
    losses: Array.from({length: steps / 10}, (_, stretch) => lossAt(10 * stretch)),
    measuredAt,
    testAccuracy: measuredAt.map((step) => ceiling - 0.01 * seed - (ceiling - 0.1) * Math.exp(-step / 100)),
    seconds: measuredAt.map((step) => (step * msPerStep * (1 + 0.1 * seed)) / 1000),
    msPerStep: msPerStep * (1 + 0.1 * seed),
    ...(rule === 'hardest' && {
      histograms: [1, steps / 2, steps].map((step) => {
        const counts = (rows: number) => Array.from({length: 25}, (_, bin) => (bin === 11 ? rows - 24 : 1));
        return {step, batch: counts(n), selected: counts(k)};
      }),
    }),
  };
}

const SEEDS = [1, 2, 3];

export const referenceRecords = (): ArmRecord[][] =>
  SEEDS.map((seed) => [
    armRecord(seed, {name: '512/512', k: 512, ceiling: 0.9, msPerStep: 70}),
    armRecord(seed, {name: '1024/512', n: 1024, k: 512, ceiling: 0.92, msPerStep: 100}),
    armRecord(seed, {name: '512/384', ceiling: 0.91, msPerStep: 60}),
    armRecord(seed, {name: '1024/128', n: 1024, k: 128, ceiling: 0.7, msPerStep: 70}),
    armRecord(seed, {name: '512/384 random', ceiling: 0.88 + 0.005 * seed, rule: 'random', msPerStep: 60}),
    armRecord(seed, {name: '1024/512 random', n: 1024, k: 512, ceiling: 0.9, rule: 'random', msPerStep: 100}),
    armRecord(seed, {name: '1024/128 random', n: 1024, k: 128, ceiling: 0.8, rule: 'random', msPerStep: 70}),
  ]);

export const costRecords = (): ArmRecord[][] =>
  SEEDS.map((seed) => [
    armRecord(seed, {name: '512/512 plain', k: 512, ceiling: 0.97, msPerStep: 80}),
    ...['masked', 'recompute', 'pruned'].map((backward, i) =>
      armRecord(seed, {name: `512/384 ${backward}`, ceiling: 0.965, msPerStep: 80 - 8 * i}),
    ),
    ...['masked', 'recompute', 'pruned'].map((backward, i) =>
      armRecord(seed, {name: `1024/512 ${backward}`, n: 1024, k: 512, ceiling: 0.97, msPerStep: 140 - 20 * i}),
    ),
  ]);

export const rulesRecords = (): ArmRecord[][] =>
  SEEDS.map((seed) =>
    ['all()', 'topK({k: 384})', 'randomK({k: 384, seed})', 'scored(topK({k: 384}), gradientNormBound())'].map(
      (name, i) => armRecord(seed, {name, ceiling: 0.85 + 0.02 * i}),
    ),
  );

export const noiseRecords = (): NoiseRecord[][] =>
  SEEDS.map((seed) =>
    [0, 0.05, 0.1, 0.2].flatMap((flipped) =>
      ['all()', 'randomK({k: 50, seed})', 'topK({k: 50})', 'trimmedTopK({k: 50, skip: 20})'].map((rule, i) => ({
        rule,
        flipped,
        measuredAt: [1, 5, 20],
        testAccuracy: [0.88, 0.92 + 0.003 * i, 0.95 - flipped * (0.1 * (4 - i)) - 0.002 * seed],
      })),
    ),
  );

/** Invented rules at one share of wrong labels: the trimmed one keeps few of them. */
export const noiseRulesRecords = (): NoiseRecord[][] =>
  SEEDS.map((seed) =>
    ['all()', 'topK({k: 50})', 'trimmedTopK({k: 50, skip: 20})'].map((rule, i) => ({
      ...{rule, flipped: 0.2, measuredAt: [2, 10, 30]},
      testAccuracy: [0.9, 0.93, 0.88 + 0.02 * i - 0.001 * seed],
      wrongAmongKept: [0.2, 0.2, [0.2, 0.4, 0.03][i] as number],
    })),
  );

export const orderedRecords = (): OrderedRecord[][] =>
  SEEDS.map((seed) => [
    {
      name: 'SGD',
      testError: [0.09, 0.08, 0.077 + 0.001 * seed],
      trainError: [0.1, 0.08, 0.07],
      kept: [64, 64, 64],
      msPerStep: [6, 6, 6],
    },
    {
      name: 'Ordered SGD',
      testError: [0.09, 0.078, 0.075],
      trainError: [0.1, 0.079, 0.069],
      kept: [64, 32, 16],
      msPerStep: [6, 5, 4],
    },
  ]);

/**
 * An invented embedding: random triplets reach a recall of .90, semi-hard ones to .94,
 * a little lower for each further seed.
 */
export const pairsRecords = (): PairsRecord[][] =>
  SEEDS.map((seed) =>
    ['all digits', 'unseen digits'].flatMap((digits) =>
      [
        {name: 'random triplets', recall: 0.9, spread: 1.2},
        {name: 'semi-hard', recall: 0.94, spread: 1.3},
        {name: 'batch-hard', recall: 0.9, spread: 0.05},
      ].map(({name, recall, spread}) => ({
        ...{name, digits, measuredAt: [0, 200, 400]},
        recallAt1: [0.8, recall - 0.02, recall - 0.01 * seed],
        meanAveragePrecisionAtR: [0.2, 0.5, 0.6],
        spread: [1, (1 + spread) / 2, spread],
        loss: [0, 0.1, 0.05],
        ...(spread < 0.1 && {collapsedAt: 40 + seed}),
      })),
    ),
  );

/**
 * An invented training run: a sampler takes .7 of the passes and .75 of the seconds, for an
 * error of a tenth less.
 */
export const epochsRecords = (): EpochsRecord[][] =>
  SEEDS.map((seed) =>
    [0, 0.2].flatMap((flipped) =>
      [
        {rule: 'full', cost: 1, backward: 1, seconds: 1, error: 0.02},
        {rule: 'infoBatch()', cost: 0.7, backward: 0.7, seconds: 0.75, error: 0.018},
        {rule: 'topK({ratio: 0.5})', cost: 1, backward: 0.5, seconds: 0.8, error: 0.02},
        {rule: 'fewer epochs', cost: 0.7, backward: 0.7, seconds: 0.7, error: 0.019},
      ].map(({rule, cost, backward, seconds, error}) => ({
        ...{rule, flipped, forward: [2 * cost, 4 * cost], backward: [2 * backward, 4 * backward]},
        ...{seconds: [10 * seconds, (20 + seed) * seconds], testError: [0.1, error + flipped / 5 + seed / 1000]},
      })),
    ),
  );

/**
 * Finders that were thought up: of ten wrong labels one finds six of the eight rows that it names,
 * a row more by seed.
 */
export const labelsRecords = (): LabelsRecord[] =>
  SEEDS.map((seed) => ({
    finders: [0.02, 0.1].flatMap((flipped) => [
      {finder: 'none left out', flipped, wrong: 10, named: 0, found: 0, seconds: 0, testAccuracy: 0.9 + seed / 100},
      {finder: 'suspects', flipped, wrong: 10, named: 8, found: 5 + seed, seconds: 2, testAccuracy: 0.91 + seed / 100},
    ]),
    teaching: [
      {name: 'all rows', measuredAt: [1, 2, 3], testAccuracy: [0.8, 0.9, 0.6]},
      {name: 'its own easiest', measuredAt: [1, 2, 3], testAccuracy: [0.7, 0.8, 0.8]},
      {name: 'co-teaching', measuredAt: [1, 2, 3], testAccuracy: [0.7, 0.8, 0.85]},
    ],
    map: {confidence: [0.9, 0.1, 0.5], variability: [0.1, 0.05, 0.3], isWrong: [false, true, false]},
  }));

/**
 * Invented runs at their best rates: by SGD the hardest are .02 ahead of all rows and .03 of random
 * ones, by Adam they are level. The smallest rate is best for random rows.
 */
export const tunedRecords = (): TunedSeed[] =>
  SEEDS.map((seed) => {
    const arms = (['sgd', 'adam'] as const).flatMap((optimizer) =>
      [
        {name: '512/512', k: 512, ceiling: 0.9, msPerStep: 70, learningRate: 0.3},
        {name: '512/384', ceiling: optimizer === 'sgd' ? 0.92 : 0.9, msPerStep: 60, learningRate: 0.3},
        {name: '512/384 random', ceiling: 0.89, rule: 'random' as const, msPerStep: 60, learningRate: 0.1},
      ].map(({learningRate, ...about}) => ({...armRecord(seed, about), optimizer, learningRate})),
    );
    const sweeps = arms.map(({optimizer, name, learningRate}) => ({
      optimizer,
      run: name,
      stages: [100, 200, 400],
      tried: [0.1, 0.3, 1].map((rate) => ({rate, accuracies: rate === learningRate ? [0.7, 0.8, 0.9] : [0.6]})),
      best: learningRate,
    }));
    return {sweeps, arms};
  });

/** Invented times: a model that gains, one that loses on wasm, and one that is missing on cpu. */
export const speedRecords = (): SpeedRecord[][] => [
  [
    {model: '2-8-2', backend: 'cpu', threads: 1, kept: 0.5, plainMs: 0.8, minedMs: 0.6},
    {model: '784-1024-10, batch of 512', backend: 'wasm', threads: 1, kept: 0.5, plainMs: 100, minedMs: 50},
    {model: '2-8-2', backend: 'wasm', threads: 1, kept: 0.5, plainMs: 0.8, minedMs: 1},
    {model: '784-1024-10, batch of 512', backend: 'wasm', threads: 2, kept: 0.75, plainMs: 60, minedMs: 42},
  ],
];

/**
 * Invented rules that trained in turn: each is a little better than the one before, and its steps
 * take longer; a little worse for each further seed.
 */
function turnRecords<Quality>(names: string[], seed: number, qualityOf: (value: number) => Quality) {
  return names.map((name, rule): TurnRecord<Quality> => {
    const end = 0.5 + 0.1 * rule - 0.01 * seed;
    const quality = [end - 0.2, end - 0.1, end].map(qualityOf);
    return {name, measuredAt: [100, 200, 300], quality, kept: [40, 44, 48], msPerStep: 100 * (1 + rule)};
  });
}

const blank = new Uint8Array(96 * 96);

/** Invented detectors, of which only the last find four of five digits. */
export const detectionRecords = (): DetectionRecord[] =>
  SEEDS.map((seed) => ({
    rules: turnRecords(['all anchors', 'random 3 : 1', 'hardNegatives 3 : 1'], seed, (map50) => ({
      ...{map50, map: map50 / 2, falsePositives: 1 - map50, recall: map50},
      falsePositivesAt80: map50 > 0.65 ? 2 : null,
    })),
    sheet: [
      {
        picture: scenePicture(blank),
        objects: [{label: 3, box: [10, 20, 30, 40]}],
        detections: [
          {label: 3, score: 0.9, isRight: true, box: [11, 20, 30, 41]},
          {label: 8, score: 0.6, isRight: false, box: [50, 50, 70, 66]},
        ],
      },
    ],
  }));

export const segmentationRecords = (): SegmentationRecord[] =>
  SEEDS.map((seed) => ({
    rules: turnRecords(['all pixels', 'random 25 %', 'topK 25 %'], seed, (meanIou) => ({
      ...{meanIou, boundaryF1: meanIou / 2, digitIou: 0.9},
    })),
    sheet: [
      {picture: scenePicture(blank), truth: kindsPicture(blank), found: [1, 2, 3].map(() => kindsPicture(blank))},
    ],
  }));

/** Invented cases of two measures, in which each rule has a larger error than the one before. */
export const hurtsRecords = (): HurtsRecord[][] =>
  SEEDS.map((seed) =>
    [
      {task: 'few rows', unit: ''},
      {task: 'sequences', unit: ', by step'},
    ].map(({task, unit}) => ({
      task,
      rules: turnRecords(
        ['all()', `topK({ratio: 0.5})${unit}`, `randomK({ratio: 0.5})${unit}`],
        seed,
        (error): Quality => ({error, loss: 2 * error}),
      ),
    })),
  );
