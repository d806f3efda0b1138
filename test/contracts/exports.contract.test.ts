/** @file What holds for everything that is exported. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import * as index from 'ohem-tfjs';
import * as insight from 'ohem-tfjs/insight';
import * as losses from 'ohem-tfjs/losses';
import * as node from 'ohem-tfjs/node';
import * as pairs from 'ohem-tfjs/pairs';
import * as samplers from 'ohem-tfjs/samplers';
import * as schedules from 'ohem-tfjs/schedules';
import * as selectors from 'ohem-tfjs/selectors';
import * as trainers from 'ohem-tfjs/trainers';
import * as wasm from 'ohem-tfjs/wasm';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {documentedFunctions, exportedNames, readSource, sourcesIn} from '../support/sources';

const PARTS = {losses, schedules, selectors, trainers, insight, pairs, samplers};
const sorted = (names: Iterable<string>) => [...new Set(names)].sort();

describe('ohem-tfjs', () => {
  it('exports what its parts export, and nothing else', () => {
    const ofParts = Object.values(PARTS).flatMap((part) => Object.entries(part));
    expect(sorted(Object.keys(index))).toEqual(sorted(ofParts.map(([name]) => name)));
    for (const [name, value] of ofParts) expect((index as Record<string, unknown>)[name]).toBe(value);
  });

  it('exports the types of its parts too', () => {
    const ofParts = Object.keys(PARTS).flatMap((part) => exportedNames(readSource(`src/${part}/index.ts`)));
    expect(sorted(exportedNames(readSource('src/index.ts')))).toEqual(sorted(ofParts));
  });

  it('exports functions only, under the names that they have', () => {
    for (const [name, value] of [index, wasm, node].flatMap(Object.entries)) {
      expect([name, typeof value, value.name]).toEqual([name, 'function', name]);
    }
  });

  it('keeps what needs Node to its own entry point, under the names of its like', () => {
    expect(Object.keys(node).sort()).toEqual(['enableWasmThreads', 'resumeTraining', 'saveTraining']);
    const needsNode = /from 'node:/;
    const others = sourcesIn('src', '.ts').filter(({path}) => !path.startsWith('src/node/'));
    expect(others.filter(({text}) => needsNode.test(text) || text.includes("'./node'"))).toEqual([]);
  });

  it('does not run what only the wasm entry point is for', () => {
    expect(Object.keys(wasm)).toEqual(['enableWasmTraining']);
    for (const name of Object.keys(wasm)) expect(index).not.toHaveProperty(name);
  });
});

describe('Every loss and selector', () => {
  const flags = ['fromLogits', 'detach', 'bias', 'soft', 'swap', 'normalize'];
  /** What a factory has to be given beside the option that is tried. */
  const others: Record<string, object> = {diversified: {k: 1}, towards: {k: 1, learningRate: 0.1}};
  type Factory = (options: object) => unknown;
  const factories = Object.entries({...losses, ...selectors, ...pairs}) as unknown as [string, Factory][];
  const throws = (f: () => unknown) => {
    try {
      void Promise.resolve(f()).catch(() => {});
      return false;
    } catch {
      return true;
    }
  };
  /** Those that look at their options at all: others take none. */
  const withOptions = factories.filter(([name, build]) => throws(() => build({...others[name], noSuchOption: 1})));

  it('is tried with options', () => expect(withOptions.length).toBeGreaterThan(50));

  it.each(withOptions)('%s refuses flags that are neither true nor false', (name, build) => {
    for (const flag of flags) expect(throws(() => build({...others[name], [flag]: 'no'}))).toBe(true);
  });
});

describe('The doc comment of every exported function', () => {
  const documented = new Map(sourcesIn('src', '.ts').flatMap((source) => [...documentedFunctions(source)]));

  it.each(Object.keys({...index, ...wasm, ...node}))(
    'of %s has an example, and says what comes back and what is thrown',
    (name) => {
      const tags = documented.get(name) ?? [];
      expect(tags).toContain('example');
      expect(tags).toContain('returns');
      expect(tags).toContain('throws');
    },
  );
});

/** What a user may get wrong in options, as the types would not let it pass. */
const wrong = (value: unknown) => value as never;
const model = () => tfl.sequential({layers: [tfl.layers.dense({units: 2, inputShape: [3]})]});
const step = (options: object) => () =>
  index.ohemStep(model(), {loss: index.meanSquaredError(), optimizer: tf.train.sgd(0.1), ...options});
const [x, y] = [() => tf.ones([4, 3]), () => tf.ones([4, 2])];
const perSample = (options: object) =>
  index.perSampleLosses(model(), x(), y(), {loss: index.meanSquaredError(), ...options});
const hardest = (options: object) =>
  index.hardestExamples(model(), x(), y(), {loss: index.meanSquaredError(), ...options});

const state = {
  ...{epoch: 0, batch: 0, step: 0, updates: 0, begun: 0, earlier: 0, earlierSteps: 0, seed: 0},
  totals: {rows: 0, steps: 0, sums: {}, counts: {}},
  spent: {rows: 0, backwardRows: 0, seconds: 0},
};
const pk = (options: Partial<index.PkBatchesOptions>) =>
  index.pkBatches({x: x(), labels: [0, 0, 1, 1], classes: 2, perClass: 2, ...options});
const mineNegatives = (options: Partial<index.MineHardNegativesOptions>) =>
  index.mineHardNegatives({queries: x(), documents: x(), positives: [0, 1, 2, 3], ...options});

const data = () => [x(), y()] as const;
const compiled = () => {
  const built = model();
  built.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
  return built;
};

const issues = (options: object) =>
  index.labelIssues(
    wrong({
      labels: [0, 1],
      probabilities: [
        [1, 0],
        [0, 1],
      ],
      ...options,
    }),
  );
const teach = (options: object) =>
  index.coTeaching([compiled(), compiled()], wrong({noiseRate: 0.5, rampSteps: 1, ...options}));
const suggest = (options: object) => index.suggestBackend(compiled(), x(), y(), options);
const check = (options: object) => index.checkGradients(compiled(), x(), y(), options);

/**
 * The call, the call itself (which may give a promise that is rejected), its error, and in whose
 * name that is, if not in that of what was called.
 */
const WRONG_CALLS: readonly (readonly [string, () => unknown, ErrorConstructor, string?])[] = [
  ['topK()', () => index.topK(wrong(undefined)), TypeError],
  ['topK({})', () => index.topK(wrong({})), TypeError],
  ['topK({k: 0})', () => index.topK({k: 0}), RangeError],
  ["topK({k: '3'})", () => index.topK(wrong({k: '3'})), RangeError],
  ['topK({k: 3, ratio: 0.5})', () => index.topK(wrong({k: 3, ratio: 0.5})), TypeError],
  ['topK({ratio: 2})', () => index.topK({ratio: 2}), RangeError],
  ['topK({ratio: 0.5, minK: 0})', () => index.topK({ratio: 0.5, minK: 0}), RangeError],
  ['randomK()', () => index.randomK(wrong(undefined)), TypeError],
  ['randomK({})', () => index.randomK(wrong({})), TypeError],
  ['randomK({k: -1})', () => index.randomK({k: -1}), RangeError],
  ['rankSampling()', () => index.rankSampling(wrong(undefined)), RangeError],
  ['rankSampling({ratio: 0})', () => index.rankSampling({ratio: 0}), RangeError],
  ['rankSampling({ratio: 0.5, k: 3})', () => index.rankSampling(wrong({ratio: 0.5, k: 3})), TypeError],
  ['percentileSampling()', () => index.percentileSampling(wrong(undefined)), RangeError],
  ['percentileSampling({power: 0})', () => index.percentileSampling({power: 0}), RangeError],
  [
    'percentileSampling({power: 1, historyLength: 0.5})',
    () => index.percentileSampling({power: 1, historyLength: 0.5}),
    RangeError,
  ],
  [
    'percentileSampling({power: 1, minProbability: 2})',
    () => index.percentileSampling({power: 1, minProbability: 2}),
    RangeError,
  ],
  ['percentileSampling({beta: 1})', () => index.percentileSampling(wrong({beta: 1})), TypeError],
  ['rankPressure()', () => index.rankPressure(wrong(undefined)), TypeError],
  ['rankPressure({pressure: 2})', () => index.rankPressure(wrong({pressure: 2})), TypeError],
  ['rankPressure({k: 3, pressure: 0.5})', () => index.rankPressure({k: 3, pressure: 0.5}), RangeError],
  ['importanceSampling()', () => index.importanceSampling(wrong(undefined)), RangeError],
  ['importanceSampling({ratio: 0.5})', () => index.importanceSampling(wrong({ratio: 0.5})), TypeError],
  ['scored()', () => index.scored(wrong(undefined), wrong(undefined)), TypeError],
  ['scored(topK)', () => index.scored(index.topK({k: 3}), wrong(undefined)), TypeError],
  ['gradientNormBound({logits: true})', () => index.gradientNormBound(wrong({logits: true})), TypeError],
  ['mapSelector()', () => index.mapSelector(wrong(undefined), wrong(undefined)), TypeError],
  ['mapSelector(topK({k: 1}))', () => index.mapSelector(index.topK({k: 1}), wrong(undefined)), TypeError],
  ['scheduled()', () => index.scheduled(wrong(undefined), wrong(undefined)), TypeError],
  ['scheduled(topK)', () => index.scheduled(index.topK, wrong(undefined)), TypeError],
  [
    'scheduled(() => undefined, constant(0.5))',
    () =>
      index.scheduled(
        wrong(() => undefined),
        index.constant(0.5),
      ),
    TypeError,
  ],
  ['constant(0)', () => index.constant(0), RangeError],
  ['linear()', () => index.linear(wrong(undefined)), RangeError],
  ['linear({from: 2, to: 1, steps: 9})', () => index.linear({from: 2, to: 1, steps: 9}), RangeError],
  ['linear({from: 1, to: 0, steps: 9})', () => index.linear({from: 1, to: 0, steps: 9}), RangeError],
  ['linear({from: 1, to: 0.5, steps: 0})', () => index.linear({from: 1, to: 0.5, steps: 0}), RangeError],
  ['window()', () => index.window(wrong(undefined)), RangeError],
  ['window({start: 5, end: 5})', () => index.window({start: 5, end: 5}), RangeError],
  ['window({start: 0, end: 5, interrupt: 1})', () => index.window({start: 0, end: 5, interrupt: 1}), RangeError],
  ['cosine()', () => index.cosine(wrong(undefined)), RangeError],
  ['cosine({from: 0})', () => index.cosine({from: 0}), RangeError],
  ['cosine({from: 1, to: -1})', () => index.cosine({from: 1, to: -1}), RangeError],
  ['cosine({from: 1, warmup: 1})', () => index.cosine({from: 1, warmup: 1}), RangeError],
  ["cosine({from: 1, warmup: '0.1'})", () => index.cosine(wrong({from: 1, warmup: '0.1'})), RangeError],
  ['cosine({from: 1, steps: 9})', () => index.cosine(wrong({from: 1, steps: 9})), TypeError],
  ['inverseSqrt()', () => index.inverseSqrt(wrong(undefined)), RangeError],
  ['inverseSqrt({from: 1, warmup: 0})', () => index.inverseSqrt({from: 1, warmup: 0}), RangeError],
  ['inverseSqrt({from: 1, warmup: 4000})', () => index.inverseSqrt({from: 1, warmup: 4000}), RangeError],
  ['oneCycle()', () => index.oneCycle(wrong(undefined)), RangeError],
  ['oneCycle({max: 1, pctStart: 30})', () => index.oneCycle({max: 1, pctStart: 30}), RangeError],
  ['oneCycle({max: 1, divFactor: 0})', () => index.oneCycle({max: 1, divFactor: 0}), RangeError],
  ['oneCycle({max: 1, finalDiv: NaN})', () => index.oneCycle({max: 1, finalDiv: Number.NaN}), RangeError],
  ['oneCycle({max: 1, from: 1})', () => index.oneCycle(wrong({max: 1, from: 1})), TypeError],
  ['stepDecay()', () => index.stepDecay(wrong(undefined), {from: 1}), TypeError],
  ['stepDecay([[0.5, 0.1]])', () => index.stepDecay([[0.5, 0.1]], wrong(undefined)), RangeError],
  ['stepDecay([[30, 0.1]], {from: 1})', () => index.stepDecay([[30, 0.1]], {from: 1}), RangeError],
  ['stepDecay([[0.5, -1]], {from: 1})', () => index.stepDecay([[0.5, -1]], {from: 1}), RangeError],
  [
    'stepDecay([[0.1, 2]], {from: 1, warmup: 0.2})',
    () => index.stepDecay([[0.1, 2]], {from: 1, warmup: 0.2}),
    RangeError,
  ],
  ['accuracySteps([80, 2])', () => index.accuracySteps(wrong([80, 2])), TypeError],
  ['accuracySteps([[80, 2]])', () => index.accuracySteps([[80, 2]]), RangeError],
  ['infoBatch({ratio: 0})', () => index.infoBatch({ratio: 0}), RangeError],
  ['infoBatch({ratio: 1.2})', () => index.infoBatch({ratio: 1.2}), RangeError],
  ['infoBatch({delta: -1})', () => index.infoBatch({delta: -1}), RangeError],
  ["infoBatch({threshold: 'median'})", () => index.infoBatch(wrong({threshold: 'median'})), RangeError],
  ['infoBatch({threshold: {quantile: 1}})', () => index.infoBatch({threshold: {quantile: 1}}), RangeError],
  ['randomSubset()', () => index.randomSubset(wrong(undefined)), RangeError],
  ['randomSubset({ratio: 0})', () => index.randomSubset({ratio: 0}), RangeError],
  ['randomSubset({ratio: 1.2})', () => index.randomSubset({ratio: 1.2}), RangeError],
  ['randomSubset({ratio: 0.5, stratify: 3})', () => index.randomSubset(wrong({ratio: 0.5, stratify: 3})), TypeError],
  ['randomSubset({ratio: 0.5, seed: NaN})', () => index.randomSubset({ratio: 0.5, seed: Number.NaN}), TypeError],
  ['kakurenbo({fraction: 0})', () => index.kakurenbo({fraction: 0}), RangeError],
  ['kakurenbo({confidence: 70})', () => index.kakurenbo({confidence: 70}), RangeError],
  ['kakurenbo({decay: [0, 1]})', () => index.kakurenbo(wrong({decay: [0, 1]})), TypeError],
  ['kakurenbo({decay: [[60, 1]]})', () => index.kakurenbo({decay: [[60, 1]]}), RangeError],
  ['earlyStopped({threshold: -1})', () => index.earlyStopped({threshold: -1}), RangeError],
  ['earlyStopped({window: 0})', () => index.earlyStopped({window: 0}), RangeError],
  ['earlyStopped({rescoreEvery: 0.5})', () => index.earlyStopped({rescoreEvery: 0.5}), RangeError],
  ['easiestFirst()', () => index.easiestFirst(wrong(undefined)), RangeError],
  ['easiestFirst({start: 0})', () => index.easiestFirst({start: 0, growEpochs: 5}), RangeError],
  ["easiestFirst({pacing: 'root'})", () => index.easiestFirst(wrong({growEpochs: 5, pacing: 'root'})), RangeError],
  ['hardestRows()', () => index.hardestRows(wrong(undefined)), RangeError],
  ['hardestRows({k: 3})', () => index.hardestRows(wrong({k: 3})), TypeError],
  ['selectiveBackprop()', () => index.selectiveBackprop(wrong(undefined)), RangeError],
  ['selectiveBackprop({minProbability: 2})', () => index.selectiveBackprop({power: 1, minProbability: 2}), RangeError],
  ['stale()', () => index.stale(wrong(undefined)), TypeError],
  ['stale(topK)', () => index.stale(wrong(index.topK({k: 3}))), TypeError],
  ['stale(infoBatch())', () => index.stale(index.infoBatch()), TypeError],
  ['stale(kakurenbo(), {every: 1})', () => index.stale(index.kakurenbo(), {every: 1}), RangeError],
  ['smallestK({k: 1.5})', () => index.smallestK({k: 1.5}), RangeError],
  ['smallestK()', () => index.smallestK(wrong(undefined)), TypeError],
  ['globalTopK()', () => index.globalTopK(wrong(undefined)), RangeError],
  ['globalTopK({k: 3, shards: 2, shard: 2})', () => index.globalTopK(wrong({k: 3, shards: 2, shard: 2})), RangeError],
  ['globalTopK({k: 3, shards: 2, shard: 1})', () => index.globalTopK(wrong({k: 3, shards: 2, shard: 1})), TypeError],
  ['thresholdOf()', () => index.thresholdOf(wrong(undefined), {k: 3, shards: 1}), TypeError],
  ['thresholdOf([], {k: 0})', () => index.thresholdOf([], {k: 0, shards: 1}), RangeError],
  ['trimmedTopK()', () => index.trimmedTopK(wrong(undefined)), TypeError],
  ['trimmedTopK({k: 3})', () => index.trimmedTopK(wrong({k: 3})), RangeError],
  ['aboveThreshold()', () => index.aboveThreshold(wrong(undefined)), TypeError],
  ["aboveThreshold({loss: '1'})", () => index.aboveThreshold(wrong({loss: '1'})), RangeError],
  ['hardNegatives({ratio: NaN})', () => index.hardNegatives({ratio: Number.NaN}), RangeError],
  ['hardNegatives({k: 3})', () => index.hardNegatives(wrong({k: 3})), TypeError],
  ['positiveNegativeQuota()', () => index.positiveNegativeQuota(wrong(undefined)), RangeError],
  [
    'positiveNegativeQuota({k: 4, positiveFraction: 2})',
    () => index.positiveNegativeQuota({k: 4, positiveFraction: 2}),
    RangeError,
  ],
  ['nmsTopK()', () => index.nmsTopK(wrong(undefined)), TypeError],
  ['nmsTopK({k: 3, iouThreshold: -1})', () => index.nmsTopK({k: 3, iouThreshold: -1}), RangeError],
  ['topKPerGroup()', () => index.topKPerGroup(wrong(undefined)), TypeError],
  ['topKPerGroup({ratio: 0})', () => index.topKPerGroup({ratio: 0}), RangeError],
  ['diversified()', () => index.diversified(wrong(undefined)), TypeError],
  ['diversified({ratio: 0})', () => index.diversified({ratio: 0}), RangeError],
  ['diversified({k: 3, seed: 1})', () => index.diversified(wrong({k: 3, seed: 1})), TypeError],
  ['diversified({k: 1})(losses) without features', () => index.diversified({k: 1})(tf.tensor1d([1, 2])), TypeError],
  ['towards()', () => index.towards(wrong(undefined), wrong(undefined)), TypeError],
  ['towards({xs, ys}, {k: 3})', () => index.towards({xs: x(), ys: y()}, wrong({k: 3})), RangeError],
  ['iouBalancedNegatives()', () => index.iouBalancedNegatives(wrong(undefined)), RangeError],
  ['iouBalancedNegatives({k: 4, bins: 0})', () => index.iouBalancedNegatives({k: 4, bins: 0}), RangeError],
  ['superLoss({tau: NaN})', () => index.superLoss({tau: Number.NaN}), RangeError],
  ["superLoss({tau: '1'})", () => index.superLoss(wrong({tau: '1'})), RangeError],
  ['superLoss({lambda: 0})', () => index.superLoss({lambda: 0}), RangeError],
  ['ghm({bins: 0})', () => index.ghm({bins: 0}), RangeError],
  ['ghm({momentum: 1})', () => index.ghm({momentum: 1}), RangeError],
  [
    'ghm()(losses) without predictions',
    () => index.ghm()(tf.tensor1d([1, 2]), {yTrue: tf.tensor1d([0, 1])}),
    TypeError,
  ],
  ['selfPacedWeights()', () => index.selfPacedWeights(wrong(undefined)), TypeError],
  ['selfPacedWeights({threshold: 0})', () => index.selfPacedWeights({threshold: 0}), RangeError],
  [
    "selfPacedWeights({ratio: 1, kind: 'soft'})",
    () => index.selfPacedWeights(wrong({ratio: 1, kind: 'soft'})),
    RangeError,
  ],
  [
    'categoricalCrossentropy({labelSmoothing: 1})',
    () => index.categoricalCrossentropy({labelSmoothing: 1}),
    RangeError,
  ],
  [
    'categoricalCrossentropy({classWeights: [-1]})',
    () => index.categoricalCrossentropy({classWeights: [-1]}),
    RangeError,
  ],
  [
    'sparseCategoricalCrossentropy({ignoreLabel: 0.5})',
    () => index.sparseCategoricalCrossentropy({ignoreLabel: 0.5}),
    RangeError,
  ],
  [
    'sparseCategoricalCrossentropy({classWeights: [NaN]})',
    () => index.sparseCategoricalCrossentropy({classWeights: [Number.NaN]}),
    RangeError,
  ],
  ['binaryCrossentropy({labelSmoothing: -1})', () => index.binaryCrossentropy({labelSmoothing: -1}), RangeError],
  ['binaryFocalCrossentropy({gamma: -1})', () => index.binaryFocalCrossentropy({gamma: -1}), RangeError],
  ['binaryFocalCrossentropy({alpha: 2})', () => index.binaryFocalCrossentropy({alpha: 2}), RangeError],
  [
    'categoricalFocalCrossentropy({gamma: NaN})',
    () => index.categoricalFocalCrossentropy({gamma: Number.NaN}),
    RangeError,
  ],
  ['categoricalFocalCrossentropy({alpha: [2]})', () => index.categoricalFocalCrossentropy({alpha: [2]}), RangeError],
  ['categoricalFocalCrossentropy({focus: 2})', () => index.categoricalFocalCrossentropy(wrong({focus: 2})), TypeError],
  ['huber({delta: 0})', () => index.huber({delta: 0}), RangeError],
  ['huber({beta: 1})', () => index.huber(wrong({beta: 1})), TypeError],
  ['smoothL1({beta: -1})', () => index.smoothL1({beta: -1}), RangeError],
  ['multiMargin({margin: Infinity})', () => index.multiMargin({margin: Number.POSITIVE_INFINITY}), RangeError],
  ["multiMargin({margin: '1'})", () => index.multiMargin(wrong({margin: '1'})), RangeError],
  ['asymmetric({gammaNegative: -1})', () => index.asymmetric({gammaNegative: -1}), RangeError],
  ['asymmetric({clip: 1})', () => index.asymmetric({clip: 1}), RangeError],
  ['asymmetric({gamma: 2})', () => index.asymmetric(wrong({gamma: 2})), TypeError],
  ['ldam()', () => index.ldam(wrong(undefined)), TypeError],
  ['ldam({counts: [10, 0]})', () => index.ldam({counts: [10, 0]}), RangeError],
  ['poly1({epsilon: NaN})', () => index.poly1({epsilon: Number.NaN}), RangeError],
  ['classBalanced()', () => index.classBalanced(wrong(undefined)), TypeError],
  ['classBalanced([10, 0])', () => index.classBalanced([10, 0]), RangeError],
  ['classBalanced([10, 1], {beta: 1})', () => index.classBalanced([10, 1], {beta: 1}), RangeError],
  ['jointLoss()', () => index.jointLoss(wrong(undefined)), TypeError],
  ['weightedSum()', () => index.weightedSum(wrong(undefined)), TypeError],
  ['weightedSum([])', () => index.weightedSum([]), TypeError],
  ['weightedSum([{weight: 1}])', () => index.weightedSum([wrong({weight: 1})]), TypeError],
  ['weightedSum([{loss, weight: -1}])', () => index.weightedSum([{loss: index.hinge(), weight: -1}]), RangeError],
  ["fromLayersLoss('nothing')", () => index.fromLayersLoss(wrong('nothing')), TypeError],
  ['fromLayersLoss()', () => index.fromLayersLoss(wrong(undefined)), TypeError],
  ["batchHard({distance: 'manhattan'})", () => index.batchHard(wrong({distance: 'manhattan'})), RangeError],
  [
    "batchHard({distance: 'cosine', normalize: false})",
    () => index.batchHard({distance: 'cosine', normalize: false}),
    TypeError,
  ],
  ['batchHard(embeddings)', () => index.batchHard(wrong(x())), TypeError],
  ["batchEasyHard({positive: 'hardest'})", () => index.batchEasyHard(wrong({positive: 'hardest'})), RangeError],
  ["batchEasyHard({positive: 'all'})", () => index.batchEasyHard({positive: 'all'}), RangeError],
  ['batchEasyHard({positiveRange: [1, 0]})', () => index.batchEasyHard({positiveRange: [1, 0]}), RangeError],
  ['semiHard({margin: 1})', () => index.semiHard(wrong({margin: 1})), TypeError],
  ['tripletMargin({margin: NaN})', () => index.tripletMargin({margin: Number.NaN}), RangeError],
  ["tripletMargin({type: 'most'})", () => index.tripletMargin(wrong({type: 'most'})), RangeError],
  ["pairMargin({positive: '1'})", () => index.pairMargin(wrong({positive: '1'})), RangeError],
  ['multiSimilarity({epsilon: -1})', () => index.multiSimilarity({epsilon: -1}), RangeError],
  ['distanceWeighted({cutoff: 0})', () => index.distanceWeighted({cutoff: 0}), RangeError],
  ["distanceWeighted({distance: 'dot'})", () => index.distanceWeighted(wrong({distance: 'dot'})), TypeError],
  ['hardestShare({ratio: 0})', () => index.hardestShare({ratio: 0}), RangeError],
  ['angular({degrees: 90})', () => index.angular({degrees: 90}), RangeError],
  ['tripletLoss({margin: -1})', () => index.tripletLoss({margin: -1}), RangeError],
  ["tripletLoss({mine: 'hard'})", () => index.tripletLoss(wrong({mine: 'hard'})), TypeError],
  ["tripletLoss({perAnchor: 'max'})", () => index.tripletLoss(wrong({perAnchor: 'max'})), RangeError],
  ['tripletLoss()(one-hot labels)', () => index.tripletLoss()(y(), x()), TypeError, 'tripletLoss'],
  ['tripletLoss()(no labels)', () => index.tripletLoss()(tf.tensor1d([0.5, 1, 1, 2]), x()), RangeError, 'tripletLoss'],
  [
    'tripletLoss()(no embeddings)',
    () => index.tripletLoss()(tf.tensor1d([1]), tf.tensor1d([1])),
    TypeError,
    'tripletLoss',
  ],
  [
    'tripletLoss({mine}) of one that gives no pairs',
    () => index.tripletLoss({mine: wrong(() => ({}))})(tf.tensor1d([0, 0, 1, 1], 'int32'), x()),
    TypeError,
    'tripletLoss',
  ],
  ['batchHard()(no labels)', () => index.batchHard()(x(), y()), TypeError, 'batchHard'],
  ['contrastiveLoss({negativeMargin: -1})', () => index.contrastiveLoss({negativeMargin: -1}), RangeError],
  ['multiSimilarityLoss({beta: 0})', () => index.multiSimilarityLoss({beta: 0}), RangeError],
  ['marginLoss({margin: -1})', () => index.marginLoss({margin: -1}), RangeError],
  ['ntXent({temperature: 0})', () => index.ntXent({temperature: 0}), RangeError],
  ['supervisedContrastive({temperature: -1})', () => index.supervisedContrastive({temperature: -1}), RangeError],
  ['recallAtK({k: 0})', () => index.recallAtK({k: 0}), RangeError],
  ['precisionAt1({k: 1})', () => index.precisionAt1(wrong({k: 1})), TypeError],
  [
    "meanAveragePrecisionAtR({distance: 'l1'})",
    () => index.meanAveragePrecisionAtR(wrong({distance: 'l1'})),
    RangeError,
  ],
  ['inBatchSoftmax({scale: 0})', () => index.inBatchSoftmax({scale: 0}), RangeError],
  [
    "inBatchSoftmax({similarity: 'euclidean'})",
    () => index.inBatchSoftmax(wrong({similarity: 'euclidean'})),
    RangeError,
  ],
  ['inBatchSoftmax({hardNegatives: 0})', () => index.inBatchSoftmax({hardNegatives: 0}), RangeError],
  ['inBatchSoftmax({candidateIds: [1]})', () => index.inBatchSoftmax(wrong({candidateIds: [1]})), TypeError],
  ['inBatchSoftmax({guide: {}})', () => index.inBatchSoftmax(wrong({guide: {}})), TypeError],
  ['inBatchSoftmax()(one output)', () => index.inBatchSoftmax()([], [x()]), TypeError, 'inBatchSoftmax'],
  [
    'inBatchSoftmax({candidateIds}) of too few ids',
    () => index.inBatchSoftmax({candidateIds: () => tf.tensor1d([1])})([], [x(), x()]),
    TypeError,
    'inBatchSoftmax',
  ],
  ['hardContrastive({tauPlus: 1})', () => index.hardContrastive({tauPlus: 1}), RangeError],
  ['hardContrastive({temperature: 0})', () => index.hardContrastive({temperature: 0}), RangeError],
  ['mineHardNegatives()', () => index.mineHardNegatives(wrong(undefined)), TypeError],
  ['mineHardNegatives({positives: [0]})', () => mineNegatives({positives: [0]}), TypeError],
  ['mineHardNegatives({positives: [0, 1, 2, 9]})', () => mineNegatives({positives: [0, 1, 2, 9]}), RangeError],
  ['mineHardNegatives({documents: []})', () => mineNegatives({documents: wrong([])}), TypeError],
  ['mineHardNegatives({count: 0})', () => mineNegatives({count: 0}), RangeError],
  ['mineHardNegatives({rangeMin: 4, rangeMax: 4})', () => mineNegatives({rangeMin: 4, rangeMax: 4}), RangeError],
  ['mineHardNegatives({relativeMargin: -1})', () => mineNegatives({relativeMargin: -1}), RangeError],
  ["mineHardNegatives({sampling: 'best'})", () => mineNegatives({sampling: wrong('best')}), RangeError],
  ['pkBatches()', () => index.pkBatches(wrong(undefined)), TypeError],
  ['pkBatches({classes: 3})', () => pk({classes: 3}), RangeError],
  ['pkBatches({classes: 1})', () => pk({classes: 1}), RangeError],
  ['pkBatches({perClass: 1})', () => pk({perClass: 1}), RangeError],
  ['pkBatches({labels: [0]})', () => pk({labels: [0]}), TypeError],
  ['pkBatches({labels: [0, 0.5, 1, 1]})', () => pk({labels: [0, 0.5, 1, 1]}), RangeError],
  ['pkBatches({batches: 0})', () => pk({batches: 0}), RangeError],
  ['crossBatchMemory({size: 0})', () => index.crossBatchMemory({size: 0}), RangeError],
  ['crossBatchMemory({from: {}})', () => index.crossBatchMemory({from: wrong({})}), TypeError],
  [
    'crossBatchMemory({size: 3}).add(a batch of 4)',
    () => index.crossBatchMemory({size: 3}).add(x(), tf.tensor1d([0, 0, 1, 1], 'int32')),
    RangeError,
    'crossBatchMemory',
  ],
  ['crossBatchMemory().fedBy()', () => index.crossBatchMemory().fedBy(wrong(undefined)), TypeError, 'crossBatchMemory'],
  ["embeddingSpread({distance: 'l1'})", () => index.embeddingSpread(wrong({distance: 'l1'})), RangeError],
  ['collapseWatch({share: 0})', () => index.collapseWatch({share: 0}), RangeError],
  [
    'collapseWatch().onEpochEnd(no spread)',
    () => index.collapseWatch().onEpochEnd(0, {loss: 1}),
    TypeError,
    'collapseWatch',
  ],
  ['ohemLoss()', () => index.ohemLoss(wrong(undefined)), TypeError],
  ["ohemLoss('mse')", () => index.ohemLoss(wrong('mse')), TypeError],
  ['ohemLoss(loss, {k: 3})', () => index.ohemLoss(index.meanSquaredError(), wrong({k: 3})), TypeError],
  [
    "ohemLoss(loss, select, {reduction: 'max'})",
    () => index.ohemLoss(index.meanSquaredError(), index.all(), wrong({reduction: 'max'})),
    RangeError,
  ],
  [
    "ohemLoss(loss, select, {granularity: 'pixel'})",
    () => index.ohemLoss(index.meanSquaredError(), index.all(), wrong({granularity: 'pixel'})),
    RangeError,
  ],
  [
    'ohemLoss(loss, a selector that needs features)',
    () => index.ohemLoss(index.meanSquaredError(), index.diversified({k: 1})),
    TypeError,
  ],
  [
    'ohemLoss(loss, a selector that remembers)',
    () =>
      index.ohemLoss(
        index.meanSquaredError(),
        Object.assign(() => wrong(0), {remember: () => wrong(0)}),
      ),
    TypeError,
  ],
  ['ohemStep()', () => index.ohemStep(wrong(undefined)), TypeError],
  ['ohemStep(model) that is not compiled', () => index.ohemStep(model()), TypeError],
  ["ohemStep(model, {loss: 'nothing'})", step({loss: 'nothing'}), TypeError],
  ['ohemStep(model, {loss: 3})', step({loss: 3}), TypeError],
  ['ohemStep(model, {select: {k: 3}})', step({select: {k: 3}}), TypeError],
  ["ohemStep(model, {optimizer: 'sdg'})", step({optimizer: wrong('sdg')}), TypeError],
  ["ohemStep(model, {reduction: 'max'})", step({reduction: 'max'}), RangeError],
  ["ohemStep(model, {rankBy: 'size'})", step({rankBy: 'size'}), RangeError],
  ["ohemStep(model, {backward: 'fast'})", step({backward: 'fast'}), RangeError],
  ["ohemStep(model, {granularity: 'pixel'})", step({granularity: 'pixel'}), RangeError],
  [
    "ohemStep(model, {granularity: 'element', backward: 'pruned'})",
    step({granularity: 'element', backward: 'pruned'}),
    RangeError,
  ],
  ['ohemStep(model, {clipNorm: 0})', step({clipNorm: 0}), RangeError],
  ['ohemStep(model, {lossWeights: [-1]})', step({lossWeights: [-1]}), RangeError],
  ['perSampleLosses(model, x, y) that is not compiled', () => index.perSampleLosses(model(), x(), y()), TypeError],
  ['perSampleLosses(model, x, y, {batchSize: 0})', () => perSample({batchSize: 0}), RangeError],
  ["perSampleLosses(model, x, y, {loss: 'nothing'})", () => perSample({loss: 'nothing'}), TypeError],
  ['hardestExamples(model, x, y, {count: 0})', () => hardest({count: 0}), RangeError],
  ['hardestExamples(model, x, y, {n: 3})', () => hardest({n: 3}), TypeError],
  [
    'hardestLosses(model, x, y)',
    () => index.hardestLosses(model(), x(), y(), wrong({loss: index.meanSquaredError()})),
    RangeError,
  ],
  [
    'hardestLosses(model, x, y, {k: 3, n: 3})',
    () => index.hardestLosses(model(), x(), y(), wrong({k: 3, n: 3})),
    TypeError,
  ],
  ['miningLedger()', () => index.miningLedger(wrong(undefined)), RangeError],
  ['miningLedger.fromJSON({})', () => index.miningLedger.fromJSON({}), TypeError],
  ['miningLedger(4, {dynamic: true})', () => index.miningLedger(4, wrong({dynamic: true})), TypeError],
  ["miningLedger(4, {dynamics: 'all'})", () => index.miningLedger(4, {dynamics: wrong('all')}), TypeError],
  ['thresholdSamples()', () => index.thresholdSamples(wrong(undefined)), TypeError],
  ['thresholdSamples([0, 0])', () => index.thresholdSamples([0, 0]), RangeError],
  ['thresholdSamples([0, 1])', () => index.thresholdSamples([0, 1]), RangeError],
  ['thresholdSamples([0, 0.5, 1])', () => index.thresholdSamples([0, 0.5, 1]), RangeError],
  ['thresholdSamples([0, 1, 1], {set: 2})', () => index.thresholdSamples([0, 1, 1], {set: wrong(2)}), RangeError],
  ['thresholdSamples([0, 1, 1], {seed: NaN})', () => index.thresholdSamples([0, 1, 1], {seed: Number.NaN}), TypeError],
  ['subset()', () => index.subset(wrong(undefined)), TypeError],
  ['subset([1], {})', () => index.subset([1], wrong({})), RangeError],
  ['subset([1, 2], {keep: 2})', () => index.subset([1, 2], {keep: 2}), RangeError],
  ['subset([1, 2], {keep: 0.5, offset: -1})', () => index.subset([1, 2], {keep: 0.5, offset: -1}), RangeError],
  ['subset([1, 2], {keep: 0.5, offset: 2})', () => index.subset([1, 2], {keep: 0.5, offset: 2}), RangeError],
  ['subset([1, 2], {keep: 0.5, balance: [0]})', () => index.subset([1, 2], {keep: 0.5, balance: [0]}), TypeError],
  ['ohemStep(model, {dynamics: {logits: true}})', step({dynamics: {logits: true}}), TypeError],
  ['lossHistogram([1], {bins: 0})', () => index.lossHistogram([1], {bins: 0}), RangeError],
  ['lossHistogram()', () => index.lossHistogram(wrong(undefined)), TypeError],
  ['suggestBackend()', () => index.suggestBackend(wrong(undefined), x(), y()), TypeError],
  ['suggestBackend(model, xs)', () => index.suggestBackend(compiled(), x(), wrong(undefined)), TypeError],
  ['suggestBackend(model) that is not compiled', () => index.suggestBackend(model(), x(), y()), TypeError],
  ['suggestBackend(model, xs, ys, {steps: 0})', () => suggest({steps: 0}), RangeError],
  ["suggestBackend(model, xs, ys, {seconds: '1'})", () => suggest({seconds: '1'}), RangeError],
  ["suggestBackend(model, xs, ys, {backends: 'cpu'})", () => suggest({backends: 'cpu'}), TypeError],
  ["suggestBackend(model, xs, ys, {backends: ['cpus']})", () => suggest({backends: ['cpus']}), RangeError],
  ["suggestBackend(model, xs, ys, {backend: 'cpu'})", () => suggest({backend: 'cpu'}), TypeError],
  ['suggestBackend(model, xs, ys, {select: {k: 3}})', () => suggest({select: {k: 3}}), TypeError],
  ['checkGradients()', () => index.checkGradients(wrong(undefined), x(), y()), TypeError],
  ['checkGradients(model, xs)', () => index.checkGradients(compiled(), x(), wrong(undefined)), TypeError],
  ['checkGradients(model) that is not compiled', () => index.checkGradients(model(), x(), y()), TypeError],
  ['checkGradients(model, xs, ys, {tolerance: 0})', () => check({tolerance: 0}), RangeError],
  ["checkGradients(model, xs, ys, {backend: 'gpu'})", () => check({backend: 'gpu'}), RangeError],
  ['checkGradients(model, xs, ys, {steps: 3})', () => check({steps: 3}), TypeError],
  ["checkGradients(model, xs, ys, {reduction: 'max'})", () => check({reduction: 'max'}), RangeError],
  ['labelIssues()', () => index.labelIssues(wrong(undefined)), TypeError],
  ['labelIssues({by})', () => issues({by: 'guess'}), RangeError],
  ['labelIssues({rank})', () => issues({rank: 'loss'}), RangeError],
  ['labelIssues({share: 1})', () => issues({share: 1}), TypeError],
  ['labelIssues({labels: [0, 2]})', () => issues({labels: [0, 2]}), RangeError],
  [
    'labelIssues({probabilities: [[1, 1], [0, 1]]})',
    () =>
      issues({
        probabilities: [
          [1, 1],
          [0, 1],
        ],
      }),
    RangeError,
  ],
  ['labelIssues({probabilities: a tensor [1, 2]})', () => issues({probabilities: tf.ones([1, 2])}), TypeError],
  ['crossValidated()', () => index.crossValidated(wrong(undefined), x(), y()), TypeError],
  ['crossValidated(makeModel, x, [0])', () => index.crossValidated(compiled, x(), wrong([0])), TypeError],
  [
    'crossValidated(makeModel, x, y, {folds: 0})',
    () => index.crossValidated(compiled, x(), y(), {folds: 0}),
    RangeError,
  ],
  [
    'crossValidated(makeModel, x, y, {fold: 2})',
    () => index.crossValidated(compiled, x(), y(), wrong({fold: 2})),
    TypeError,
  ],
  ['coTeaching()', () => index.coTeaching(wrong(undefined), {noiseRate: 0.5, rampSteps: 1}), TypeError],
  ['coTeaching([a, b])', () => index.coTeaching([compiled(), compiled()]), RangeError],
  ['coTeaching([a, b], {noiseRate: 1})', () => teach({noiseRate: 1}), RangeError],
  ['coTeaching([a, b], {rampSteps: 0})', () => teach({rampSteps: 0}), RangeError],
  ['coTeaching([a, b], {optimizer: {}})', () => teach({optimizer: {}}), TypeError],
  ['coTeaching([a, b], {select: topK})', () => teach({select: index.topK({k: 1})}), TypeError],
  ['fitOhem()', () => index.fitOhem(wrong(undefined), ...data()), TypeError],
  ['fitOhem(model, [1])', () => index.fitOhem(compiled(), wrong([1]), data()[1]), TypeError],
  ['fitOhem(model, x, y, {epochs: 0})', () => index.fitOhem(compiled(), ...data(), {epochs: 0}), RangeError],
  ['fitOhem(model, x, y, {epoch: 2})', () => index.fitOhem(compiled(), ...data(), wrong({epoch: 2})), TypeError],
  ['fitOhemDataset()', () => index.fitOhemDataset(wrong(undefined), []), TypeError],
  ['fitOhemDataset(model)', () => index.fitOhemDataset(compiled(), wrong(undefined)), TypeError],
  [
    'fitOhemDataset(model, dataset, {batchesPerEpoch: 0})',
    () => index.fitOhemDataset(compiled(), [], {batchesPerEpoch: 0}),
    RangeError,
  ],
  ["saveTraining('nowhere')", () => index.saveTraining('nowhere', compiled(), state), TypeError],
  ['saveTraining(target, model)', () => index.saveTraining({save: wrong(tf.ones)}, compiled(), wrong({})), TypeError],
  ['enableWasmThreads(0)', () => node.enableWasmThreads(0), RangeError],
  ["enableWasmThreads('2')", () => node.enableWasmThreads(wrong('2')), RangeError],
  ["saveTraining('' of node)", () => node.saveTraining('', compiled(), state), TypeError],
  ["resumeTraining('nowhere')", () => index.resumeTraining('nowhere', compiled()), TypeError],
  ['resumeTraining(target)', () => index.resumeTraining({load: async () => ({})}, compiled()), TypeError],
  ["resumeTraining('' of node)", () => node.resumeTraining('', compiled()), TypeError],
];

const functionOf = (call: string) => call.slice(0, call.indexOf('('));

describeOnBackends('A wrong call', () => {
  for (const [call, f, kind, name = functionOf(call)] of WRONG_CALLS) {
    it(`names function, argument, constraint and value: ${call}`, async () => {
      const called = async () => f();
      await expect(called()).rejects.toThrow(kind);
      await expect(called()).rejects.toThrow(new RegExp(`^${name}: .+ must .+, got .+\\.`));
    });
  }

  it('is in the table for every exported function that takes options', () => {
    const called = WRONG_CALLS.map(([call]) => functionOf(call)).filter((name) => !name.includes('.'));
    const withoutOptions = [
      'all',
      'categoricalHinge',
      'cosineSimilarity',
      'halfSquaredError',
      'hinge',
      'kullbackLeiblerDivergence',
      'logCosh',
      'meanAbsoluteError',
      'meanSquaredError',
      'poisson',
      'reducibleLoss',
      'squaredHinge',
    ];
    expect(sorted([...called, ...withoutOptions])).toEqual(sorted([...Object.keys(index), ...Object.keys(node)]));
  });
});
