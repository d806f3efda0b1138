/** @file What every selector promises. A new one is a line in the table. */
import * as tf from '@tensorflow/tfjs-core';
import * as ohem from 'ohem-tfjs';
import {
  aboveThreshold,
  accuracySteps,
  all,
  constant,
  diversified,
  ghm,
  globalTopK,
  hardNegatives,
  importanceSampling,
  iouBalancedNegatives,
  mapSelector,
  meanSquaredError,
  nmsTopK,
  ohemLoss,
  percentileSampling,
  positiveNegativeQuota,
  randomK,
  rankPressure,
  rankSampling,
  type Selection,
  type SelectionContext,
  type Selector,
  scheduled,
  scored,
  selfPacedWeights,
  smallestK,
  superLoss,
  topK,
  topKPerGroup,
  towards,
  trimmedTopK,
} from 'ohem-tfjs';

import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {itIf} from '../support/itIf';
import {randomFrom} from '../support/property';
import {read, readSelection} from '../support/read';
import {keptRows, marks, type Selected} from '../support/selections';
import {leftBy, onEachBackend} from '../support/tensors';

interface Member {
  /** As it is exported. */
  member: string;
  /** What it is built with, as one would write it; JSON but for the quotes of names. */
  options: string;
  select: Selector;
  /** Whether rows of equal loss come in the order of the batch; a draw has an order of its own. */
  tiesInOrder: boolean;
  /** Whether it draws with replacement: a row may come several times. */
  repeats?: true;
  /** The weight of the row of a batch of one. Default 1. */
  weight?: number;
  /** Whether its weights are computed, so that backends round them differently. */
  weighs?: true;
  /** Whether it may keep no row of a batch that has some. */
  mayKeepNone?: true;
  /**
   * Whether it passes over rows that are harder than what it keeps, so that of equal losses it may
   * leave out the first.
   */
  passesOver?: boolean;
  /** Whether it reads the losses, so that it refuses to be called on a GPU. */
  readsLosses?: true;
  /** Which loss comes first in its order. Default `'hardest'`. */
  first?: 'easiest';
  /** What a trainer passes with the first batch. */
  state?: Pick<SelectionContext, 'memory' | 'schedule'>;
  /** What it needs beside, whatever the batch. */
  given?: () => SelectionContext;
  /** What it needs beside the losses, for a number of rows. */
  context?: (batchSize: number) => SelectionContext;
}

/** Positive but for every fourth row. */
const positive = (batchSize: number) => marks(rowsOf(batchSize, (row) => (row % 4 === 1 ? 0 : 1)));
/** Three images, with ids that are neither in order nor all positive. */
const group = (batchSize: number) =>
  tf.tensor1d(
    rowsOf(batchSize, (row) => [7, -2, 40_000][row % 3] as number),
    'int32',
  );
/** Boxes of which many overlap. */
const boxes = (batchSize: number) => {
  const random = randomFrom(batchSize + 1);
  const box = () => [random(), random()].flatMap((at) => [at, at + 1]);
  return tf.tensor2d(
    rowsOf(batchSize, box).map(([y1, y2, x1, x2]) => [y1, x1, y2, x2] as number[]),
    [batchSize, 4],
  );
};

const ofPositives = {
  tiesInOrder: true,
  passesOver: true,
  context: (batchSize: number) => ({positive: positive(batchSize)}),
};
const ofPositivesInGroups = {
  ...ofPositives,
  context: (batchSize: number) => ({positive: positive(batchSize), group: group(batchSize)}),
};
const ofGroups = {tiesInOrder: true, passesOver: true, context: (batchSize: number) => ({group: group(batchSize)})};
const ofBoxes = {tiesInOrder: true, passesOver: true, context: (batchSize: number) => ({boxes: boxes(batchSize)})};
const ofBoxesInGroups = {
  ...ofBoxes,
  context: (batchSize: number) => ({boxes: boxes(batchSize), group: group(batchSize)}),
};

/** Predictions of three classes, and their labels. */
const classified = (batchSize: number) => {
  const random = randomFrom(batchSize + 2);
  const logits = tf.tensor2d(
    rowsOf(3 * batchSize, () => 4 * random()),
    [batchSize, 3],
  );
  return {
    yPred: tf.softmax(logits),
    yTrue: tf.tensor1d(
      rowsOf(batchSize, (row) => row % 3),
      'int32',
    ),
  };
};
/** The same with the input of a last layer. */
const inLastLayer = (batchSize: number) => {
  const random = randomFrom(batchSize + 3);
  const features = rowsOf(2 * batchSize, () => 2 * random() - 1);
  return {...classified(batchSize), features: tf.tensor2d(features, [batchSize, 2])};
};
const ofGradients = {tiesInOrder: true, passesOver: true, context: inLastLayer};
const validation = {xs: {}, ys: {}};

const weighing = {tiesInOrder: true, weighs: true} as const;

/** Positives, and how much each row overlaps an object. */
const ofOverlaps = {
  tiesInOrder: true,
  passesOver: true,
  context(batchSize: number) {
    const random = randomFrom(batchSize + 4);
    return {positive: positive(batchSize), overlap: tf.tensor1d(rowsOf(batchSize, random))};
  },
};

const SELECTORS: readonly Member[] = [
  {member: 'topK', options: '{k: 3}', select: topK({k: 3}), tiesInOrder: true},
  {member: 'topK', options: '{k: 100}', select: topK({k: 100}), tiesInOrder: true},
  {member: 'topK', options: '{ratio: 0.5}', select: topK({ratio: 0.5}), tiesInOrder: true},
  {member: 'topK', options: '{ratio: 0.1, minK: 2}', select: topK({ratio: 0.1, minK: 2}), tiesInOrder: true},
  {
    member: 'globalTopK',
    options: 'k = 1 of one shard',
    select: globalTopK({k: 1, shard: 0, shards: 1, exchange: (mine) => [mine]}),
    tiesInOrder: true,
    readsLosses: true,
  },
  {member: 'all', options: '', select: all(), tiesInOrder: true},
  {member: 'randomK', options: '{k: 3, seed: 5}', select: randomK({k: 3, seed: 5}), tiesInOrder: false},
  {member: 'randomK', options: '{k: 100}', select: randomK({k: 100}), tiesInOrder: false},
  {member: 'randomK', options: '{ratio: 0.5}', select: randomK({ratio: 0.5}), tiesInOrder: false},
  {
    member: 'rankSampling',
    options: '{ratio: 0.5, seed: 5}',
    select: rankSampling({ratio: 0.5, seed: 5}),
    tiesInOrder: false,
  },
  {member: 'rankSampling', options: '{ratio: 1}', select: rankSampling({ratio: 1}), tiesInOrder: false},
  {
    member: 'rankPressure',
    options: '{k: 3, pressure: 100, seed: 5}',
    select: rankPressure({k: 3, pressure: 100, seed: 5}),
    tiesInOrder: false,
  },
  {
    member: 'rankPressure',
    options: '{ratio: 0.5, minK: 2, pressure: 1}',
    select: rankPressure({ratio: 0.5, minK: 2, pressure: 1}),
    tiesInOrder: false,
  },
  {
    member: 'percentileSampling',
    options: '{power: 2, seed: 5}',
    select: percentileSampling({power: 2, seed: 5}),
    tiesInOrder: false,
    mayKeepNone: true,
    state: {memory: null},
  },
  {
    member: 'percentileSampling',
    options: '{power: 1, minProbability: 1}',
    select: percentileSampling({power: 1, minProbability: 1}),
    tiesInOrder: true,
    state: {memory: null},
  },
  {
    member: 'importanceSampling',
    options: '{k: 3, seed: 5}',
    select: importanceSampling({k: 3, seed: 5}),
    tiesInOrder: false,
    repeats: true,
  },
  {
    member: 'scored',
    options: 'topK({k: 3}), 2 · l + 1',
    select: scored(topK({k: 3}), (losses) => tf.add(tf.mul(losses, 2), 1)),
    tiesInOrder: true,
  },
  {
    member: 'scheduled',
    options: 'topK, constant(0.5)',
    select: scheduled(topK, constant(0.5)),
    tiesInOrder: true,
    state: {schedule: null},
  },
  {
    member: 'scheduled',
    options: 'topK, accuracySteps()',
    select: scheduled(topK, accuracySteps()),
    tiesInOrder: true,
    state: {schedule: {divisor: 2}},
  },
  {
    member: 'mapSelector',
    options: 'topK({k: 3}), weights / 2',
    select: mapSelector(topK({k: 3}), ({indices, weights}) => ({indices, weights: tf.mul(weights, 0.5)})),
    tiesInOrder: true,
    weight: 0.5,
  },
  {
    member: 'mapSelector',
    options: 'mapSelector(scheduled(percentileSampling))',
    select: mapSelector(
      mapSelector(
        scheduled(({ratio}) => percentileSampling({power: 2, minProbability: ratio}), constant(0.5)),
        (selection) => selection,
      ),
      (selection) => selection,
    ),
    tiesInOrder: false,
    mayKeepNone: true,
    state: {memory: null, schedule: null},
  },
  {member: 'smallestK', options: '{k: 3}', select: smallestK({k: 3}), tiesInOrder: true, first: 'easiest'},
  {member: 'smallestK', options: '{k: 100}', select: smallestK({k: 100}), tiesInOrder: true, first: 'easiest'},
  {member: 'smallestK', options: '{ratio: 0.5}', select: smallestK({ratio: 0.5}), tiesInOrder: true, first: 'easiest'},
  {
    member: 'trimmedTopK',
    options: '{k: 3, skip: 1}',
    select: trimmedTopK({k: 3, skip: 1}),
    tiesInOrder: true,
    passesOver: true,
  },
  {
    member: 'trimmedTopK',
    options: '{k: 100, skip: 7}',
    select: trimmedTopK({k: 100, skip: 7}),
    tiesInOrder: true,
    passesOver: true,
  },
  {
    member: 'trimmedTopK',
    options: '{ratio: 0.5, skip: 0.2}',
    select: trimmedTopK({ratio: 0.5, skip: 0.2}),
    tiesInOrder: true,
    passesOver: true,
  },
  {
    member: 'trimmedTopK',
    options: '{ratio: 0.5, minK: 2, skip: 0}',
    select: trimmedTopK({ratio: 0.5, minK: 2, skip: 0}),
    tiesInOrder: true,
  },
  {member: 'aboveThreshold', options: '{loss: 1.5}', select: aboveThreshold({loss: 1.5}), tiesInOrder: true},
  {
    member: 'aboveThreshold',
    options: '{probability: 0.7, minK: 100}',
    select: aboveThreshold({probability: 0.7, minK: 100}),
    tiesInOrder: true,
  },
  {
    member: 'aboveThreshold',
    options: '{loss: 9, minRatio: 0.4}',
    select: aboveThreshold({loss: 9, minRatio: 0.4}),
    tiesInOrder: true,
  },
  {member: 'hardNegatives', options: '', select: hardNegatives(), ...ofPositives},
  {
    member: 'hardNegatives',
    options: '{ratio: 0.2}',
    select: hardNegatives({ratio: 0.2}),
    ...ofPositivesInGroups,
  },
  {
    member: 'hardNegatives',
    options: '{ratio: 0, minNegatives: 2}',
    select: hardNegatives({ratio: 0, minNegatives: 2}),
    ...ofPositivesInGroups,
  },
  {
    member: 'positiveNegativeQuota',
    options: '{k: 4, positiveFraction: 0.5}',
    select: positiveNegativeQuota({k: 4, positiveFraction: 0.5}),
    ...ofPositivesInGroups,
  },
  {
    member: 'positiveNegativeQuota',
    options: '{k: 100, positiveFraction: 0.25}',
    select: positiveNegativeQuota({k: 100, positiveFraction: 0.25}),
    ...ofPositives,
  },
  {
    member: 'positiveNegativeQuota',
    options: '{k: 8, positiveFraction: 0.25, maxNegativesPerPositive: 1.5}',
    select: positiveNegativeQuota({k: 8, positiveFraction: 0.25, maxNegativesPerPositive: 1.5}),
    ...ofPositivesInGroups,
  },
  {member: 'nmsTopK', options: '{k: 3}', select: nmsTopK({k: 3}), ...ofBoxes},
  {member: 'nmsTopK', options: '{k: 100}', select: nmsTopK({k: 100}), ...ofBoxesInGroups},
  {
    member: 'nmsTopK',
    options: '{ratio: 0.5, iouThreshold: 0.1}',
    select: nmsTopK({ratio: 0.5, iouThreshold: 0.1}),
    ...ofBoxes,
  },
  {member: 'topKPerGroup', options: '{k: 2}', select: topKPerGroup({k: 2}), ...ofGroups},
  {member: 'topKPerGroup', options: '{k: 100}', select: topKPerGroup({k: 100}), tiesInOrder: true},
  {
    member: 'topKPerGroup',
    options: '{ratio: 0.5, minK: 2}',
    select: topKPerGroup({ratio: 0.5, minK: 2}),
    ...ofGroups,
  },
  {member: 'superLoss', options: '{tau: 0.5}', select: superLoss({tau: 0.5}), ...weighing},
  {
    member: 'superLoss',
    options: '{lambda: 0.25, momentum: 0.5}',
    select: superLoss({lambda: 0.25, momentum: 0.5}),
    ...weighing,
    state: {memory: null},
  },
  {member: 'ghm', options: '', select: ghm(), ...weighing, context: classified},
  {
    member: 'ghm',
    options: '{bins: 3, momentum: 0.5}',
    select: ghm({bins: 3, momentum: 0.5}),
    ...weighing,
    context: classified,
    state: {memory: null},
  },
  {
    member: 'selfPacedWeights',
    options: '{threshold: 2}',
    select: selfPacedWeights({threshold: 2}),
    ...weighing,
    passesOver: true,
    mayKeepNone: true,
  },
  {
    member: 'selfPacedWeights',
    options: '{ratio: 0.5, kind: "hard"}',
    select: selfPacedWeights({ratio: 0.5, kind: 'hard'}),
    tiesInOrder: true,
    passesOver: true,
  },
  {
    member: 'selfPacedWeights',
    options: '{ratio: 1, kind: "logistic"}',
    select: selfPacedWeights({ratio: 1, kind: 'logistic'}),
    ...weighing,
  },
  {
    member: 'iouBalancedNegatives',
    options: '{k: 3}',
    select: iouBalancedNegatives({k: 3}),
    ...ofOverlaps,
  },
  {
    member: 'iouBalancedNegatives',
    options: '{k: 4, bins: 2, floorThreshold: 0.5, floorFraction: 0.5, seed: 3}',
    select: iouBalancedNegatives({k: 4, bins: 2, floorThreshold: 0.5, floorFraction: 0.5, seed: 3}),
    ...ofOverlaps,
  },
  {member: 'diversified', options: '{k: 3}', select: diversified({k: 3}), ...ofGradients},
  {
    member: 'diversified',
    options: '{ratio: 0.5, minK: 2, bias: true}',
    select: diversified({ratio: 0.5, minK: 2, bias: true}),
    ...ofGradients,
  },
  {
    member: 'towards',
    options: 'validation, {k: 3, learningRate: 0.1}',
    select: towards(validation, {k: 3, learningRate: 0.1}),
    ...ofGradients,
    given: () => ({validation: inLastLayer(4)}),
  },
  {
    member: 'towards',
    options: 'validation, {ratio: 0.5, learningRate: 1, bias: false}',
    select: towards(validation, {ratio: 0.5, learningRate: 1, bias: false}),
    ...ofGradients,
    given: () => ({validation: inLastLayer(2)}),
  },
];

/** What is exported with the selectors, and is none: for `scored`, and for shards. */
const OTHERS = ['gradientNormBound', 'reducibleLoss', 'thresholdOf'];

/** On a GPU fewer: there every shape takes shaders of its own. */
const batchSizesOn = (backend: string) => (backend.startsWith('webg') ? [1, 5, 33] : [1, 2, 3, 5, 16, 33]);
const NOT_FINITE = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** Losses of a batch; a few of them are equal. */
function lossesOf(batchSize: number, seed = batchSize): number[] {
  const random = randomFrom(seed);
  return Array.from({length: batchSize}, () => Math.floor(random() * 12) / 4);
}

/** Losses with a row that is not finite in every third place. */
const mixedLosses = (batchSize: number) =>
  lossesOf(batchSize).map((loss, row) => (row % 3 === 1 ? (NOT_FINITE[row % NOT_FINITE.length] as number) : loss));

const everySecond = (batchSize: number) => rowsOf(batchSize, (row) => row % 2);

function rowsOf<T>(batchSize: number, value: (row: number) => T): T[] {
  return Array.from({length: batchSize}, (_, row) => value(row));
}

/** Builds a selector from options that have been to JSON and back. */
function builtFromJson(member: string, options: string): Selector {
  const json = options.replace(/(\w+):/g, '"$1":');
  const build = (ohem as unknown as Record<string, (options?: object) => Selector>)[member];
  return (build as (options?: object) => Selector)(json === '' ? undefined : JSON.parse(json));
}

describe('The contract of the selectors', () => {
  it('is held by every selector that is exported', async () => {
    const exported = Object.keys(await import('ohem-tfjs/selectors'));
    expect([...new Set(SELECTORS.map(({member}) => member)), ...OTHERS].sort()).toEqual(exported.sort());
  });
});

for (const {member, options, select: selector, context: needed, ...nature} of SELECTORS) {
  const {tiesInOrder, passesOver, first, repeats, mayKeepNone, state, given, weighs, weight = 1} = nature;
  describeOnBackends(`${member}(${options})`, (backend) => {
    if (nature.readsLosses && backend.startsWith('webg')) {
      it('refuses a backend whose losses it would have to wait for', () => {
        expect(() => selector(tf.tensor1d([1, 2]))).toThrow(/backend must be cpu or wasm/);
      });
      return;
    }
    const batchSizes = batchSizesOn(backend);
    const contextOf = (batchSize: number): SelectionContext => ({...state, ...given?.(), ...needed?.(batchSize)});
    /** The selector with what it needs at hand, as in a step. */
    const select: Selector = (losses, context) =>
      tf.tidy(() => selector(losses, {...state, ...given?.(), ...context, ...needed?.(losses.size)}));
    const run = (losses: readonly number[], context: SelectionContext = {}) =>
      readSelection(select, losses, {step: 0, ...context});
    const inItsOrder = (losses: readonly number[]) => [...losses].sort((a, b) => (first === 'easiest' ? a - b : b - a));

    it.each(batchSizes)('gives int32[K] rows and float32[K] weights for %i rows, with 1 <= K <= B', (batchSize) => {
      const {indices, weights} = select(tf.tensor1d(lossesOf(batchSize)));
      expect([indices.dtype, weights.dtype, indices.rank]).toEqual(['int32', 'float32', 1]);
      expect(weights.shape).toEqual(indices.shape);
      expect(indices.size).toBeGreaterThanOrEqual(1);
      expect(indices.size).toBeLessThanOrEqual(batchSize);
    });

    it.each(batchSizes)(
      `gives rows of the batch of %i${repeats ? '' : ', none twice'}, and weights that are finite and >= 0`,
      async (batchSize) => {
        for (const losses of [lossesOf(batchSize), mixedLosses(batchSize)]) {
          const {indices, weights} = await run(losses);
          expect(indices.every((row) => Number.isInteger(row) && row >= 0 && row < batchSize)).toBe(true);
          if (!repeats) expect(new Set(indices).size).toBe(indices.length);
          expect(weights.every((weight) => Number.isFinite(weight) && weight >= 0)).toBe(true);
        }
      },
    );

    it.each(batchSizes)('gives the same K for all batches of %i rows, whatever is in them', async (batchSize) => {
      const none = marks(Array(batchSize).fill(0));
      const selections = [
        run(lossesOf(batchSize)),
        run(lossesOf(batchSize, 99), {step: 7}),
        run(mixedLosses(batchSize)),
        run(Array(batchSize).fill(0)),
        run(Array(batchSize).fill(Number.NaN)),
        run(lossesOf(batchSize), {valid: marks(everySecond(batchSize))}),
        run(lossesOf(batchSize), {valid: none}),
      ];
      const sizes = (await Promise.all(selections)).map(({indices}) => indices.length);
      expect(new Set(sizes).size).toBe(1);
    });

    it.each(batchSizes)(
      `gives what it keeps of %i rows ${first ?? 'hardest'} first, and what it does not keep last`,
      async (batchSize) => {
        for (const losses of [lossesOf(batchSize), mixedLosses(batchSize)]) {
          const selection = await run(losses);
          const kept = keptRows(selection);
          const keptLosses = kept.map((row) => losses[row] as number);
          expect(keptLosses).toEqual(inItsOrder(keptLosses));
          expect(selection.indices.slice(0, kept.length)).toEqual(kept);
        }
      },
    );

    itIf(tiesInOrder)('gives equal losses in the order of the batch', async () => {
      for (const batchSize of batchSizes) {
        const kept = keptRows(await run(Array(batchSize).fill(0.5)));
        expect(kept).toEqual(passesOver ? [...kept].sort((a, b) => a - b) : Array.from(kept, (_, row) => row));
        const losses = lossesOf(batchSize);
        const inOrder = keptRows(await run(losses));
        const sign = first === 'easiest' ? -1 : 1;
        const byLoss = (a: number, b: number) => sign * ((losses[b] as number) - (losses[a] as number)) || a - b;
        expect(inOrder).toEqual([...inOrder].sort(byLoss));
      }
    });

    itIf(!mayKeepNone)('keeps the row of a batch of one', async () => {
      expect(await run([0.5])).toEqual({indices: [0], weights: [weight]});
    });

    it.each(batchSizes)('never keeps one of %i rows that is not finite or not valid', async (batchSize) => {
      const valid = everySecond(batchSize);
      const losses = mixedLosses(batchSize);
      const usable = (row: number) => Number.isFinite(losses[row]);
      expect(keptRows(await run(losses)).every(usable)).toBe(true);
      for (const dtype of ['float32', 'int32', 'bool'] as const) {
        const kept = keptRows(await run(losses, {valid: marks(valid, dtype)}));
        expect(kept.every((row) => usable(row) && valid[row] === 1)).toBe(true);
      }
    });

    itIf(!mayKeepNone)('keeps a row where there is one to keep', async () => {
      const losses = [Number.NaN, Number.POSITIVE_INFINITY, -5, Number.NEGATIVE_INFINITY];
      expect(new Set(keptRows(await run(losses)))).toEqual(new Set([2]));
      expect(new Set(keptRows(await run([3, 2, 1, 0], {valid: marks([0, 0, 0, 1])})))).toEqual(new Set([3]));
    });

    it.each(batchSizes)('gives weight 0 to all of %i rows where none may be kept', async (batchSize) => {
      const nothing = (selection: Selected) => expect(selection.weights).toEqual(selection.indices.map(() => 0));
      for (const value of NOT_FINITE) nothing(await run(Array(batchSize).fill(value)));
      nothing(await run(lossesOf(batchSize), {valid: marks(Array(batchSize).fill(0))}));
    });

    it('leaks nothing, also when it throws', () => {
      const [losses, valid, wrong] = [tf.tensor1d(mixedLosses(16)), marks(everySecond(16)), marks([1, 0])];
      const context = contextOf(16);
      expect(leftBy(() => selector(losses, context))).toBe(0);
      expect(leftBy(() => selector(losses, {...context, valid, step: 3}))).toBe(0);
      expect(leftBy(() => void expect(() => selector(losses, {...context, valid: wrong})).toThrow())).toBe(0);
    });

    it('gives within a gradient what it gives outside, as a constant', async () => {
      for (const batchSize of batchSizes) {
        const xs = lossesOf(batchSize);
        const {indices, weights} = await run(xs);
        const counts = rowsOf(batchSize, (row) =>
          weights.reduce((sum, weight, place) => sum + (indices[place] === row ? weight : 0), 0),
        );
        const slope = tf.variable(tf.scalar(1));
        const [x, context] = [tf.tensor1d(xs), {step: 0, ...contextOf(batchSize)}];
        let within: Selection | undefined;
        const objective = () => {
          const losses = tf.mul(slope, x) as tf.Tensor1D;
          within = selector(losses, context);
          tf.keep(within.indices);
          tf.keep(within.weights);
          // Not by tf.gather: its gradient lacks a kernel on wasm.
          const ofRows = tf.scatterND(tf.expandDims(within.indices, 1), within.weights, [batchSize]);
          return tf.sum<tf.Scalar>(tf.mul(ofRows, losses));
        };
        const {value, grads} = tf.variableGrads(objective, [slope]);
        const kept = within as unknown as Selection;
        expect({indices: await read(() => kept.indices), weights: await read(() => kept.weights)}).toEqual({
          indices,
          weights,
        });
        // d/da Σ w · a x = Σ w · x, which at a = 1 is the value itself.
        const expected = xs.reduce((sum, loss, row) => sum + loss * (counts[row] as number), 0);
        expectClose(await read(() => grads[slope.name] as tf.Tensor), [expected], {absolute: 1e-6, relative: 1e-5});
        expectClose(await read(() => value), [expected], {absolute: 1e-6, relative: 1e-5});
        tf.dispose([within as Selection, slope, value, ...Object.values(grads)]);
      }
    });

    it('leaks nothing within a gradient, also when it throws, and does not disturb it', async () => {
      const [x, wrong, context] = [tf.tensor1d(lossesOf(16)), marks([1, 0]), contextOf(16)];
      const gradient = (context: SelectionContext) => () =>
        tf.grad((given) => {
          try {
            selector(tf.square(given) as tf.Tensor1D, context);
          } catch {}
          return tf.mul(given, 3);
        })(x);
      for (const each of [context, {...context, valid: wrong}]) expect(leftBy(gradient(each))).toBe(0);
      expect(await read(gradient({...context, valid: wrong}))).toEqual(Array(16).fill(3));
    });

    it.each(['int32', 'bool'] as const)('takes losses %s for the same numbers in float32', async (dtype) => {
      for (const batchSize of batchSizes) {
        const numbers = lossesOf(batchSize).map((loss) => (dtype === 'bool' ? Number(loss > 1) : Math.floor(4 * loss)));
        const context = {step: 0, ...contextOf(batchSize)};
        const ofDtype: Selector = (losses) => selector(tf.cast(losses, dtype), context);
        expect(await readSelection(ofDtype, numbers)).toEqual(await run(numbers));
        // Made as such: its buffer has bytes.
        const {indices, weights} = tf.tidy(() => selector(tf.tensor1d(numbers, dtype), context));
        expect([indices.dtype, weights.dtype]).toEqual(['int32', 'float32']);
        tf.dispose([indices, weights]);
      }
    });

    it('refuses losses that are no numbers, and leaks nothing then', () => {
      const [texts, context] = [tf.tensor1d(['a', 'b']), contextOf(2)];
      for (const [losses, shown] of [
        [texts, 'a tensor string[2]'],
        [[1, 2], '[1, 2]'],
        [undefined, 'undefined'],
      ] as const) {
        const refused = () =>
          expect(() => selector(losses as tf.Tensor1D, context)).toThrow(
            new TypeError(`${member}: losses must be float32[B], got ${shown}.`),
          );
        expect(leftBy(() => void refused())).toBe(0);
      }
    });

    itIf(selector.remember !== undefined)('remembers the same within a gradient, without a trace in it', async () => {
      const remember = selector.remember as NonNullable<Selector['remember']>;
      const [x, context] = [tf.tensor1d(lossesOf(16)), contextOf(16)];
      const expected = await read(() => remember(x, context));
      const seen: tf.Tensor[] = [];
      const gradient = () =>
        tf.grad((given) => {
          const memory = remember(tf.mul(given, 1) as tf.Tensor1D, context);
          seen.push(tf.keep(tf.clone(memory)));
          return tf.sum(tf.add(tf.sum(memory), given));
        })(x);
      expect(await read(gradient)).toEqual(Array(16).fill(1));
      expect(seen).toHaveLength(1);
      expect(await read(() => seen.pop() as tf.Tensor)).toEqual(expected);
      expect(
        leftBy(() => {
          const slope = gradient();
          tf.dispose(seen);
          return slope;
        }),
      ).toBe(0);
    });

    itIf(state !== undefined)('throws when its state is not passed', () => {
      const losses = tf.tensor1d(lossesOf(5));
      const {memory: _, schedule: __, ...others} = contextOf(5);
      const refused = () => expect(() => selector(losses, others)).toThrow(/must be in the context.*mapSelector/);
      expect(leftBy(() => void refused())).toBe(0);
    });

    it('leaves losses and context as they are', async () => {
      const [losses, valid] = [tf.tensor1d(lossesOf(16)), marks(everySecond(16))];
      const context = Object.freeze({...contextOf(16), valid, step: 3});
      const values = () =>
        Promise.all(
          Object.values(context).map(async (value) => (value instanceof tf.Tensor ? [...(await value.data())] : value)),
        );
      const before = await values();
      tf.dispose(selector(losses, context));
      expect([...(await losses.data())]).toEqual(lossesOf(16));
      expect(await values()).toEqual(before);
    });

    it('gives the same answer when it is called again, and after other batches', async () => {
      const first = await run(lossesOf(33), {step: 4});
      await run(lossesOf(16), {step: 5});
      expect(await run(lossesOf(33), {step: 4})).toEqual(first);
    });

    // What wraps another selector takes functions.
    const takesJson = options === '' || options.startsWith('{');
    itIf(takesJson)('gives the same answer when its options have been to JSON and back', async () => {
      const fromJson = builtFromJson(member, options);
      const again: Selector = (losses, context) => fromJson(losses, {...contextOf(losses.size), ...context});
      for (const batchSize of batchSizes) {
        const losses = mixedLosses(batchSize);
        expect(await readSelection(again, losses, {step: 2})).toEqual(await run(losses, {step: 2}));
      }
    });

    itIf(!nature.readsLosses)('gives the same answer on every backend', async () => {
      const before = tf.getBackend();
      const answers = await onEachBackend(() =>
        Promise.all(
          batchSizes.map(async (batchSize) => {
            const {weights, indices} = await run(mixedLosses(batchSize), {valid: marks(everySecond(batchSize))});
            const other = await run(lossesOf(batchSize));
            return {rows: [keptRows({weights, indices}), other.indices], weights: [...weights, ...other.weights]};
          }),
        ),
      );
      for (const answer of answers) {
        expect(answer.map(({rows}) => rows)).toEqual(answers[0]?.map(({rows}) => rows));
        const [ofThis, ofFirst] = [answer, answers[0] ?? []].map((all) => all.flatMap(({weights}) => weights));
        if (weighs) expectClose(ofThis ?? [], ofFirst ?? [], {absolute: 1e-5, relative: 1e-5});
        else expect(ofThis).toEqual(ofFirst);
      }
      await tf.setBackend(before);
    });

    it('lets a gradient through to the rows that it keeps only', async () => {
      const [yTrue, yPred] = [tf.zeros([8, 2]), tf.randomNormal([8, 2], 0, 1, 'float32', 3)];
      const losses = await read(() => meanSquaredError()(yTrue, yPred));
      const {indices, weights} = await run(losses);
      const mined = ohemLoss(meanSquaredError(), select);
      const gradient = await read(() => tf.grad((x) => tf.mean(mined(yTrue, x)))(yPred));
      // d/dp of Σ w · mean_d p² / Σ w, for two features: p · w / Σ w.
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const share = (row: number) =>
        weights.reduce((sum, weight, place) => sum + (indices[place] === row ? weight : 0), 0) / total;
      const expected = [...(await yPred.data())].map((p, place) => p * share(Math.floor(place / 2)));
      expectClose(gradient, expected, {absolute: 1e-7, relative: 1e-5});
      gradient.forEach((value, place) => {
        if (share(Math.floor(place / 2)) === 0) expect(Math.abs(value)).toBe(0);
      });
    });

    it('keeps a row that is not finite out of every gradient', async () => {
      const yPred = tf.tensor2d([1, 2, Number.NaN, 3, -1, Number.POSITIVE_INFINITY, 0.5, 1], [4, 2]);
      const mined = ohemLoss(meanSquaredError(), select);
      const gradient = await read(() => tf.grad((x) => tf.mean(mined(tf.zeros([4, 2]), x)))(yPred));
      expect(gradient.every(Number.isFinite)).toBe(true);
      expect(gradient.slice(2, 6).map(Math.abs)).toEqual([0, 0, 0, 0]);
      expect(gradient.some((value) => value !== 0)).toBe(true);
    });

    it(`refuses losses of another shape in the name of ${member}`, () => {
      for (const [losses, shown] of [
        [tf.ones([2, 3]), '[2, 3]'],
        [tf.scalar(1), '[]'],
        // Of several shards, one may have no row.
        ...(member === 'globalTopK' ? [] : [[tf.zeros([0]), '[0]'] as const]),
      ] as const) {
        expect(() => select(losses as tf.Tensor1D)).toThrow(
          new TypeError(
            `${member}: losses must have shape [B] with B >= 1, got ${shown}. Reduce over every axis but the first.`,
          ),
        );
      }
    });

    if (!needed) return;

    it('refuses what it needs when it is of another length, and leaks nothing then', () => {
      const [losses, tooMany] = [tf.tensor1d(lossesOf(5)), needed(6)];
      for (const [name, value] of Object.entries(tooMany)) {
        const context = {...contextOf(5), [name]: value};
        const refused = () =>
          expect(() => selector(losses, context)).toThrow(new RegExp(`^${member}: ${name} must have shape \\[5`));
        expect(leftBy(() => void refused())).toBe(0);
      }
    });
  });
}
