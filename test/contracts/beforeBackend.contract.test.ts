/**
 * @file What is built at the top of a user's module, before `await tf.setBackend(…)`. No test in
 *   this file sets a backend.
 */
import '@tensorflow/tfjs-backend-wasm';
import {
  aboveThreshold,
  accuracySteps,
  all,
  asymmetric,
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  categoricalHinge,
  classBalanced,
  constant,
  cosine,
  cosineSimilarity,
  diversified,
  fromLayersLoss,
  ghm,
  globalTopK,
  gradientNormBound,
  halfSquaredError,
  hardNegatives,
  hinge,
  huber,
  importanceSampling,
  inverseSqrt,
  iouBalancedNegatives,
  jointLoss,
  kullbackLeiblerDivergence,
  labelIssues,
  ldam,
  linear,
  logCosh,
  lossHistogram,
  mapSelector,
  meanAbsoluteError,
  meanSquaredError,
  miningLedger,
  multiMargin,
  nmsTopK,
  ohemLoss,
  oneCycle,
  percentileSampling,
  poisson,
  poly1,
  positiveNegativeQuota,
  randomK,
  rankPressure,
  rankSampling,
  reducibleLoss,
  scheduled,
  scored,
  selfPacedWeights,
  smallestK,
  smoothL1,
  sparseCategoricalCrossentropy,
  squaredHinge,
  stepDecay,
  subset,
  superLoss,
  thresholdOf,
  thresholdSamples,
  topK,
  topKPerGroup,
  towards,
  trimmedTopK,
  weightedSum,
  window,
} from 'ohem-tfjs';
import * as pairs from 'ohem-tfjs/pairs';
import {describe, expect, it} from 'vitest';
import {SAMPLER_CASES} from '../support/samplerCases';
import {shardLosses} from '../support/shards';

const FACTORIES = {
  aboveThreshold: () => aboveThreshold({probability: 0.7, minRatio: 0.1}),
  all,
  asymmetric,
  binaryCrossentropy,
  binaryFocalCrossentropy: () => binaryFocalCrossentropy({alpha: 0.25}),
  categoricalCrossentropy: () => categoricalCrossentropy({labelSmoothing: 0.1, classWeights: [1, 2]}),
  categoricalFocalCrossentropy: () => categoricalFocalCrossentropy({alpha: [0.25, 0.5]}),
  categoricalHinge,
  classBalanced: () => classBalanced([10, 1]),
  cosine: () => cosine({from: 0.1}),
  cosineSimilarity,
  diversified: () => diversified({ratio: 0.1}),
  fromLayersLoss: () => fromLayersLoss('hinge'),
  ghm: () => ghm({momentum: 0.5}),
  globalTopK: () => globalTopK({k: 3, shard: 0, shards: 1, exchange: (mine) => [mine]}),
  gradientNormBound,
  halfSquaredError,
  hinge,
  huber,
  kullbackLeiblerDivergence,
  ldam: () => ldam({counts: [10, 1], classWeights: [1, 2]}),
  logCosh,
  meanAbsoluteError,
  importanceSampling: () => importanceSampling({k: 3, seed: 1}),
  iouBalancedNegatives: () => iouBalancedNegatives({k: 4}),
  inverseSqrt: () => inverseSqrt({from: 0.1}),
  multiMargin,
  mapSelector: () => mapSelector(topK({k: 3}), (selection) => selection),
  lossHistogram: () => lossHistogram([1]).counts.at,
  meanSquaredError,
  labelIssues: () =>
    labelIssues({
      labels: [0, 1],
      probabilities: [
        [1, 0],
        [0, 1],
      ],
    }).rows.at,
  miningLedger: () => miningLedger(3, {dynamics: true}).suspects,
  ohemLoss: () => ohemLoss(meanSquaredError(), topK({k: 3})),
  oneCycle: () => oneCycle({max: 0.1}),
  poisson,
  poly1,
  randomK: () => randomK({ratio: 0.5, seed: 1}),
  smoothL1,
  percentileSampling: () => percentileSampling({power: 2, seed: 1}),
  rankPressure: () => rankPressure({k: 3, pressure: 10, seed: 1}),
  rankSampling: () => rankSampling({ratio: 0.5, seed: 1}),
  reducibleLoss,
  scheduled: () => scheduled(topK, linear({from: 1, to: 0.5, steps: 10})),
  scored: () => scored(topK({k: 3}), reducibleLoss()),
  selfPacedWeights: () => selfPacedWeights({ratio: 0.5}),
  superLoss,
  hardNegatives,
  nmsTopK: () => nmsTopK({k: 3, iouThreshold: 0.5}),
  positiveNegativeQuota: () => positiveNegativeQuota({k: 8, positiveFraction: 0.25}),
  smallestK: () => smallestK({k: 3}),
  sparseCategoricalCrossentropy: () => sparseCategoricalCrossentropy({ignoreLabel: 255, classWeights: [1, 2]}),
  squaredHinge,
  stepDecay: () => stepDecay([[0.5, 0.1]], {from: 0.1}),
  subset: () => subset([1, 2], {keep: 0.5}).at,
  thresholdSamples: () => thresholdSamples([0, 1, 1]).rows.at,
  thresholdOf: () => thresholdOf([shardLosses([2, 1])], {k: 2, shards: 1}),
  topK: () => topK({ratio: 0.5}),
  topKPerGroup: () => topKPerGroup({k: 3}),
  towards: () => towards({xs: {}, ys: {}}, {k: 3, learningRate: 0.1}),
  trimmedTopK: () => trimmedTopK({k: 3, skip: 1}),
  jointLoss: () => jointLoss(([yTrue]) => yTrue as never),
  weightedSum: () => weightedSum([{loss: hinge()}]),
};

const NEED_DATA = ['pkBatches', 'mineHardNegatives'];
/** All others of pairs have defaults. */
const PAIRS = Object.fromEntries(Object.entries(pairs).filter(([name]) => !NEED_DATA.includes(name)));

const SCHEDULES = {
  accuracySteps: () => accuracySteps([[0.9, 2]]),
  constant: () => constant(0.5),
  linear: () => linear({from: 1, to: 0.5, steps: 10}),
  window: () => window({start: 10, end: 20}),
};

const SAMPLERS = Object.fromEntries(SAMPLER_CASES.map(({member, build}) => [member, build]));

describe('Before a backend is ready', () => {
  it.each(Object.entries(FACTORIES))('%s can be built', (_, build) => {
    expect(build()).toBeDefined();
  });

  it.each(Object.entries(PAIRS))('%s can be built', (_, build) => {
    expect((build as () => unknown)()).toBeDefined();
  });

  it.each(Object.entries(SCHEDULES))('%s can be built', (_, build) => {
    expect(build().init).toBeTypeOf('function');
  });

  it.each(Object.entries(SAMPLERS))('%s can be built', (_, build) => {
    expect(build().init(40)).toBeDefined();
  });

  it('everything is tried that needs no model and no data', async () => {
    const needMore = [
      ...['ohemStep', 'fitOhem', 'fitOhemDataset', 'saveTraining', 'resumeTraining'],
      ...['perSampleLosses', 'hardestExamples', 'hardestLosses', 'suggestBackend', 'checkGradients'],
      ...['coTeaching', 'crossValidated'],
      ...NEED_DATA,
    ];
    const exported = Object.keys(await import('ohem-tfjs')).filter((name) => !needMore.includes(name));
    expect(Object.keys({...FACTORIES, ...PAIRS, ...SAMPLERS, ...SCHEDULES}).sort()).toEqual(exported.sort());
  });
});
