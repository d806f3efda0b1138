/** @file The sum of what shards compute is what one process computes of the whole batch. */
import * as tf from '@tensorflow/tfjs-core';
import {type LayersModel, layers, regularizers, sequential} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {
  all,
  categoricalCrossentropy,
  fitOhem,
  globalTopK,
  hardestLosses,
  mapSelector,
  type OhemStepOptions,
  ohemLoss,
  ohemStep,
  type Reduction,
  type Selector,
  type ShardLosses,
  type StepGradients,
  scored,
  thresholdOf,
  topK,
} from 'ohem-tfjs';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {describeOnBackends, describeOnDevice} from '../support/backends';
import {RUNS} from '../support/property';
import {inLockStep, shardLosses, shardRows} from '../support/shards';

const [FEATURES, CLASSES] = [6, 3];
const seeded = (seed: number) => ({kernelInitializer: {className: 'GlorotNormal', config: {seed}} as never});

function build(): LayersModel {
  const kernelRegularizer = () => regularizers.l2({l2: 0.05});
  return sequential({
    layers: [
      layers.dense({
        units: 8,
        activation: 'tanh',
        inputShape: [FEATURES],
        kernelRegularizer: kernelRegularizer(),
        ...seeded(1),
      }),
      layers.dense({units: CLASSES, activation: 'softmax', kernelRegularizer: kernelRegularizer(), ...seeded(2)}),
    ],
  });
}

/** The message of what `f` throws, but for the question of {@link inLockStep}. */
function messageOf(f: () => unknown): string | undefined {
  try {
    f();
    return undefined;
  } catch (error) {
    if ((error as Error).name === 'RangeError') return (error as Error).message;
    throw error;
  }
}

/**
 * The whole batch of a step; every fourth row of the second half is one of the first half too. With
 * `isTied`, the second half is the first half, so that an odd k nearly always splits a tie.
 */
function batchOf(step: number, rows: number, isTied = false): {xs: tf.Tensor2D; ys: tf.Tensor2D} {
  const labels = Array.from({length: rows}, (_, row) => (row * 7 + step) % CLASSES);
  const from = labels.map((_, row) =>
    row >= rows / 2 && (isTied || row % 4 === 0) ? row - Math.floor(rows / 2) : row,
  );
  const drawn = tf.randomNormal([rows, FEATURES], 0, 1, 'float32', 50 + step);
  const ofRows = tf.gather(drawn, tf.tensor1d(from, 'int32')) as tf.Tensor2D;
  const targets = from.map((row) => labels[row] as number);
  return {xs: ofRows, ys: tf.cast(tf.oneHot(tf.tensor1d(targets, 'int32'), CLASSES), 'float32') as tf.Tensor2D};
}

const rowsOf = <T extends tf.Tensor>(tensor: T, {begin, size}: {begin: number; size: number}) =>
  tf.slice(tensor, [begin, 0], [size, -1]) as T;
const valuesOf = (gradients: tf.NamedTensorMap) => Object.values(gradients).flatMap((each) => [...each.dataSync()]);
const weightsOf = (model: LayersModel) => model.getWeights().flatMap((weight) => [...weight.dataSync()]);
const bitsOf = (model: LayersModel) => [...new Int32Array(Float32Array.from(weightsOf(model)).buffer)];
const largestOf = (values: readonly number[]) => Math.max(...values.map(Math.abs));
const keptOf = ({report}: StepGradients) => {
  const weights = report.selection.weights.dataSync();
  return [...report.selection.indices.dataSync()].filter((_, place) => (weights[place] as number) > 0);
};

/** Expects numbers that agree to 1e-5 of the largest one. */
function expectAgreeing(got: readonly number[], want: readonly number[]): void {
  expect(got.length).toBe(want.length);
  const difference = largestOf(got.map((value, i) => value - (want[i] as number)));
  expect(difference).toBeLessThanOrEqual(1e-5 * largestOf(want));
}

/** The sum of gradients over shards, by the names of the weights of one of them. */
function summed(parts: readonly tf.NamedTensorMap[], names: readonly string[]): tf.NamedTensorMap {
  const lists = parts.map((part) => Object.values(part));
  const sums = names.map((_, i) =>
    lists.map((list) => list[i] as tf.Tensor).reduce((one, other) => tf.add(one, other)),
  );
  return Object.fromEntries(names.map((name, i) => [name, sums[i] as tf.Tensor]));
}

/** A model of the class of each of 16 elements. */
const elementModel = (): LayersModel =>
  sequential({layers: [layers.dense({units: 2, activation: 'softmax', inputShape: [16, 3], ...seeded(1)})]});

function elementsOf(seed: number, rows: number): {xs: tf.Tensor3D; ys: tf.Tensor3D} {
  const xs = tf.randomNormal([rows, 16, 3], 0, 1, 'float32', 80 + seed) as tf.Tensor3D;
  const labels = tf.cast(tf.greater(tf.sum(xs, -1), 0), 'int32');
  return {xs, ys: tf.cast(tf.oneHot(labels, 2), 'float32') as tf.Tensor3D};
}

interface Trial {
  sizes: readonly number[];
  k: number;
  steps?: number;
  options?: Pick<OhemStepOptions, 'backward' | 'reduction' | 'clipNorm'>;
  optimizer?: () => tf.Optimizer;
  /** Whether each row is there twice; most steps then have equal losses at ranks k and k + 1. */
  isTied?: boolean;
  /** Changes the whole batch of a step. */
  spoil?: (xs: tf.Tensor2D) => tf.Tensor2D;
}

/**
 * Trains shards and one process side by side. Each applies its own gradients, so their weights stay
 * equal only up to rounding.
 */
function train({sizes, k, steps = 3, options, optimizer = () => tf.train.sgd(0.1), ...batches}: Trial): void {
  const {isTied, spoil = (xs) => xs} = batches;
  const places = shardRows(sizes);
  const rows = sizes.reduce((total, size) => total + size, 0);
  const loss = categoricalCrossentropy();
  const whole = build();
  const shards = sizes.map(() => build());
  let ties = 0;
  let exchange: Parameters<Parameters<typeof inLockStep>[1]>[1];
  const single = ohemStep(whole, {loss, select: topK({k}), optimizer: optimizer(), ...options});
  const parts = shards.map((model, shard) => {
    const select = globalTopK({k, shard, shards: sizes.length, exchange: (mine) => exchange(mine)});
    return ohemStep(model, {loss, select, optimizer: optimizer(), ...options});
  });
  for (let step = 0; step < steps; step++) {
    tf.tidy(() => {
      const {xs: clean, ys} = batchOf(step, rows, isTied);
      const xs = spoil(clean);
      const want = single.gradients(xs, ys);
      const losses = Array.from(want.report.losses.dataSync()).sort((one, other) => other - one);
      if (losses[k - 1] === losses[k]) ties++;
      const got = inLockStep(sizes.length, (shard, others) => {
        exchange = others;
        const place = places[shard] as (typeof places)[number];
        return (parts[shard] as (typeof parts)[number]).gradients(rowsOf(xs, place), rowsOf(ys, place));
      });
      const union = got.flatMap((part, shard) => keptOf(part).map((row) => row + (places[shard]?.begin as number)));
      expect(union.sort((a, b) => a - b)).toEqual(keptOf(want).sort((a, b) => a - b));
      got.forEach(({gradients}, shard) => {
        if (keptOf(got[shard] as StepGradients).length === 0) expect(largestOf(valuesOf(gradients))).toBe(0);
      });
      const sums = got.map(({gradients}) =>
        summed(
          got.map((part) => part.gradients),
          Object.keys(gradients),
        ),
      );
      expectAgreeing(valuesOf(sums[0] as tf.NamedTensorMap), valuesOf(want.gradients));
      const ofShards = got.reduce((total, {report}) => total + (report.loss.dataSync()[0] as number), 0);
      expect(ofShards).toBeCloseTo(want.report.loss.dataSync()[0] as number, 4);
      single.apply(want.gradients);
      for (const [shard, part] of parts.entries()) part.apply(sums[shard] as tf.NamedTensorMap);
      for (const {report} of [want, ...got]) report.dispose();
      for (const model of shards) expect(bitsOf(model)).toEqual(bitsOf(shards[0] as LayersModel));
      expectAgreeing(weightsOf(shards[0] as LayersModel), weightsOf(whole));
    });
  }
  if (isTied) expect(ties).toBeGreaterThan(steps / 2);
}

describeOnBackends('Shards with a global top k', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  it('make the step of one process, in 20 steps of 2 shards', () =>
    train({sizes: [12, 12], k: 7, steps: 20, isTied: true}));
  it('make the step of one process, in 20 steps of 4 shards', () =>
    train({sizes: [6, 6, 6, 6], k: 9, steps: 20, isTied: true}));
  it('may differ in size', () => train({sizes: [3, 13, 8], k: 10}));
  it('may keep no row: of k = 1 all but one do', () => train({sizes: [6, 6, 6], k: 1, steps: 4}));
  it('may keep all rows', () => train({sizes: [6, 6], k: 12}));

  it('leave a shard out whose rows are all NaN', () =>
    train({
      sizes: [6, 6],
      k: 8,
      spoil: (xs) => tf.concat([tf.fill([6, FEATURES], Number.NaN), tf.slice(xs, [6, 0])]) as tf.Tensor2D,
    }));

  it.each(['pruned', 'masked', 'recompute'] as const)('agree with %s', (backward) =>
    train({sizes: [8, 4], k: 5, options: {backward}}),
  );

  it.each(['mean', 'sum', 'batchMean'] as const)(
    'reduce by %s over all rows, with each regulariser once',
    (reduction) => train({sizes: [5, 9], k: 6, options: {reduction}}),
  );

  it.each([
    ['momentum', () => tf.train.momentum(0.05, 0.9)],
    ['Adam', () => tf.train.adam(0.01)],
  ])('have the slots of %s', (_, optimizer) => train({sizes: [6, 10], k: 6, steps: 4, optimizer}));

  it('rank elements of all shards', () => {
    const loss = categoricalCrossentropy();
    const [model, {xs, ys}] = [elementModel(), elementsOf(1, 5)];
    const common = {loss, optimizer: tf.train.sgd(1), granularity: 'element' as const};
    const want = ohemStep(model, {...common, select: topK({k: 20})}).gradients(xs, ys);
    const places = shardRows([2, 3]);
    const got = inLockStep(2, (shard, exchange) => {
      const {begin, size} = places[shard] as (typeof places)[number];
      const step = ohemStep(model, {...common, select: globalTopK({k: 20, shard, shards: 2, exchange})});
      return step.gradients(tf.slice(xs, begin, size), tf.slice(ys, begin, size));
    });
    const sums = summed(
      got.map(({gradients}) => gradients),
      Object.keys(want.gradients),
    );
    expectAgreeing(valuesOf(sums), valuesOf(want.gradients));
  });

  it('clip the sum, not each part', () => train({sizes: [6, 6], k: 5, options: {clipNorm: 0.05}}));

  it.each([
    ['globalTopK', (select: Selector) => select],
    ['a wrapper of it', (select: Selector) => mapSelector(select, (selection) => selection)],
  ])('are refused on every shard by %s if the models of shards differ in an activation', (_, wrapped) => {
    const dense = (activation: 'relu' | 'tanh') =>
      sequential({layers: [layers.dense({units: CLASSES, activation, inputShape: [FEATURES], ...seeded(1)})]});
    const {xs, ys} = batchOf(0, 8);
    const lossesOf = (activations: ('relu' | 'tanh')[], sizes = [4, 4]) => {
      const places = shardRows(sizes);
      return inLockStep(2, (shard, exchange) => {
        const select = wrapped(globalTopK({k: 3, shard, shards: 2, exchange}));
        const model = dense(activations[shard] as 'relu');
        const step = ohemStep(model, {loss: 'meanSquaredError', select, optimizer: tf.train.sgd(1)});
        const {begin, size} = places[shard] as (typeof places)[number];
        const given = () => step.gradients(tf.slice(xs, begin, size), tf.slice(ys, begin, size));
        return messageOf(given);
      });
    };
    expect(lossesOf(['tanh', 'tanh'])).toEqual([undefined, undefined]);
    for (const sizes of [
      [4, 4],
      [8, 0],
      [0, 8],
    ]) {
      const messages = lossesOf(['relu', 'tanh'], sizes);
      for (const message of messages) {
        expect(message).toMatch(
          /^globalTopK: the result of exchange\[1\]\.model must be \d+, got \d+\. Build the same/,
        );
      }
    }
  });

  it('take losses of a transport that does not carry the model', () => {
    const {xs, ys} = batchOf(0, 4);
    const exchange = (mine: ShardLosses) => [mine, shardLosses([0.1, 0.1], {shard: 1, k: 2})];
    const select = globalTopK({k: 2, shard: 0, shards: 2, exchange});
    const step = ohemStep(build(), {loss: categoricalCrossentropy(), select, optimizer: tf.train.sgd(1)});
    expect(step.gradients(xs, ys).report.selection.threshold?.rows).toBe(6);
  });

  it('change nothing if no row of any shard is finite', () => {
    const nothing = (xs: tf.Tensor2D) => tf.fill(xs.shape, Number.NaN) as tf.Tensor2D;
    const model = build();
    const {xs, ys} = batchOf(0, 4);
    const [one, two] = inLockStep(2, (shard, exchange) => {
      const select = globalTopK({k: 3, shard, shards: 2, exchange});
      const step = ohemStep(model, {loss: categoricalCrossentropy(), select, optimizer: tf.train.sgd(1)});
      return step.gradients(nothing(xs), ys);
    });
    for (const part of [one, two]) expect(largestOf(valuesOf((part as StepGradients).gradients))).toBe(0);
  });
});

function twoPhases(): void {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  it.each([
    {sizes: [10, 10], k: 7},
    {sizes: [4, 9, 6, 5], k: 6},
    {sizes: [5, 5, 5], k: 1},
  ])('make the step of one process: $sizes, k = $k', async ({sizes, k}) => {
    const places = shardRows(sizes);
    const rows = sizes.reduce((total, size) => total + size, 0);
    const loss = categoricalCrossentropy();
    const [whole, model] = [build(), build()];
    const single = ohemStep(whole, {loss, select: topK({k}), optimizer: tf.train.adam(0.01)});
    const part = ohemStep(model, {loss, select: all(), optimizer: tf.train.adam(0.01)});
    for (let step = 0; step < 3; step++) {
      const {xs, ys} = batchOf(step, rows);
      const mine = await Promise.all(
        places.map((place, shard) =>
          hardestLosses(model, rowsOf(xs, place), rowsOf(ys, place), {k, shard, step, loss}),
        ),
      );
      const threshold = thresholdOf(mine, {k, shards: sizes.length});
      const want = single.gradients(xs, ys);
      const kept = mine.map(({indices}, shard) =>
        Array.from(indices.subarray(0, threshold.counts[shard]), (row) => row + (places[shard]?.begin as number)),
      );
      expect(kept.flat().sort((a, b) => a - b)).toEqual(keptOf(want).sort((a, b) => a - b));
      const parts = kept.map((ofShard) => {
        const at = tf.tensor1d(ofShard, 'int32');
        return part.gradients(tf.gather(xs, at), tf.gather(ys, at), {threshold});
      });
      const sums = summed(
        parts.map(({gradients}) => gradients),
        Object.keys(parts[0]?.gradients as tf.NamedTensorMap),
      );
      expectAgreeing(valuesOf(sums), valuesOf(want.gradients));
      const summaries = await Promise.all(parts.map(({report}) => report.read()));
      expect(summaries.map((summary) => summary.kept)).toEqual(threshold.counts);
      expect(summaries.reduce((total, summary) => total + summary.loss, 0)).toBeCloseTo(
        want.report.loss.dataSync()[0] as number,
        4,
      );
      single.apply(want.gradients);
      part.apply(sums);
    }
    expectAgreeing(weightsOf(model), weightsOf(whole));
  });
}

describeOnBackends('Shards in two phases', () => {
  twoPhases();
  keepingAll();

  it('refuse a selector that gives a kept row less than weight 1, but not one that leaves out rows without a finite loss', () => {
    const {xs, ys} = batchOf(0, 3);
    const threshold = {loss: 0, counts: [3, 3], rows: 9};
    const gradientsBy = (select: Selector, inputs: tf.Tensor2D) =>
      ohemStep(build(), {loss: categoricalCrossentropy(), optimizer: tf.train.sgd(1), select}).gradients(inputs, ys, {
        threshold,
      });
    const halved = mapSelector(all(), ({indices, weights}) => ({indices, weights: tf.mul(weights, 0.5)}));
    expect(() => gradientsBy(halved, xs)).toThrow('ohemStep: select must keep all 3 rows of a batch with a threshold');
    const spoilt = tf.concat([tf.fill([1, FEATURES], Number.NaN), tf.slice(xs, [1, 0])]) as tf.Tensor2D;
    expect(keptOf(gradientsBy(all(), spoilt)).sort()).toEqual([1, 2]);
  });
});

/** The default selector and others would select again from rows that are already selected. */
function keepingAll(): void {
  it.each<[string, Pick<OhemStepOptions, 'select'>, number]>([
    ['the default selector', {}, 2],
    ['a top k', {select: topK({k: 1})}, 1],
  ])('refuse %s for rows that a threshold has selected', (_, select, kept) => {
    const model = build();
    const before = bitsOf(model);
    const {xs, ys} = batchOf(0, 3);
    const step = ohemStep(model, {loss: categoricalCrossentropy(), optimizer: tf.train.sgd(1), ...select});
    const message =
      `ohemStep: select must keep all 3 rows of a batch with a threshold, got ${kept}. ` +
      'The threshold has selected them already: build the step with select: all().';
    expect(() => step.gradients(xs, ys, {threshold: {loss: 0, counts: [3, 3], rows: 9}})).toThrow(message);
    expect(bitsOf(model)).toEqual(before);
  });
}

describeOnDevice('Shards on a device', () => {
  twoPhases();
  keepingAll();

  it('do not exchange inside a step, which would wait', () => {
    const select = globalTopK({k: 1, shard: 0, shards: 1, exchange: (mine) => [mine]});
    expect(() => select(tf.tensor1d([1, 2]))).toThrow(
      'globalTopK: backend must be cpu or wasm, to read losses without waiting, got elsewhere. ' +
        'A step never waits for a device: use hardestLosses and thresholdOf.',
    );
  });
});

/** Rows of shards, some of which have none, and the rows that are padding. */
const withEmptyShards = fc
  .array(fc.oneof(fc.constant(0), fc.integer({min: 1, max: 5})), {minLength: 2, maxLength: 4})
  .map((sizes) => (sizes.some(Boolean) ? sizes : [...sizes.slice(1), 4]))
  .chain((sizes) => {
    const rows = sizes.reduce((total, size) => total + size, 0);
    return fc.record({
      sizes: fc.constant(sizes),
      k: fc.integer({min: 1, max: rows}),
      valid: fc.array(fc.constantFrom(0, 1, 1), {minLength: rows, maxLength: rows}),
      reduction: fc.constantFrom('mean' as const, 'sum' as const, 'batchMean' as const),
    });
  });

describeOnBackends('A shard without rows', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());
  const loss = categoricalCrossentropy();
  let model: LayersModel;
  beforeEach(() => {
    model = build();
  });

  /** The batch of one process, its gradients, and the rows of each shard. */
  function wholeOf({sizes, k, valid, reduction}: {sizes: number[]; k: number; valid: number[]; reduction: Reduction}) {
    const {xs, ys} = batchOf(0, valid.length);
    const marks = tf.tensor1d(valid);
    const step = ohemStep(model, {loss, select: topK({k}), optimizer: tf.train.sgd(1), reduction});
    const want = valuesOf(step.gradients(xs, ys, {valid: marks}).gradients);
    const parts = shardRows(sizes).map(({begin, size}) => ({
      xs: tf.slice(xs, [begin, 0], [size, -1]),
      ys: tf.slice(ys, [begin, 0], [size, -1]),
      valid: tf.slice(marks, [begin], [size]),
    }));
    return {want, parts};
  }

  /** Expects that the gradients of all shards add up to those of one process. */
  function expectSum(got: readonly StepGradients[], want: readonly number[]): void {
    const first = got[0] as StepGradients;
    const sums = summed(
      got.map(({gradients}) => gradients),
      Object.keys(first.gradients),
    );
    expectAgreeing(valuesOf(sums), want);
  }

  it('takes part inside the step, as if the other shards were all', () => {
    fc.assert(
      fc.property(withEmptyShards, (trial) => {
        tf.tidy(() => {
          const {sizes, k, reduction} = trial;
          const {want, parts} = wholeOf(trial);
          const got = inLockStep(sizes.length, (shard, exchange) => {
            const select = globalTopK({k, shard, shards: sizes.length, exchange});
            const {xs, ys, valid} = parts[shard] as (typeof parts)[number];
            const step = ohemStep(model, {loss, select, optimizer: tf.train.sgd(1), reduction});
            return step.gradients(xs, ys, {valid});
          });
          expectSum(got, want);
          for (const {report} of got) {
            expect(report.selection.threshold?.rows).toBe(trial.valid.length);
            expect(report.selection.threshold).toEqual(got[0]?.report.selection.threshold);
          }
        });
      }),
      {...RUNS, numRuns: 30},
    );
  });

  it('takes part in two phases, as if the other shards were all', async () => {
    await fc.assert(
      fc.asyncProperty(withEmptyShards, async (trial) => {
        const {sizes, k, reduction} = trial;
        const {want, parts} = wholeOf(trial);
        const options = {k, step: 0, loss};
        const tops = await Promise.all(
          parts.map(({xs, ys, valid}, shard) => hardestLosses(model, xs, ys, {...options, shard, valid})),
        );
        const threshold = thresholdOf(tops, {k, shards: sizes.length});
        expect(threshold.rows).toBe(trial.valid.length);
        const got = parts.map(({xs, ys}, shard) => {
          const rows = tf.tensor1d(tops[shard]?.indices.slice(0, threshold.counts[shard]) as Int32Array, 'int32');
          const step = ohemStep(model, {loss, select: all(), optimizer: tf.train.sgd(1), reduction});
          // On wasm tf.gather gives a tensor without rows another shape.
          const kept = xs.shape[0] === 0 ? [xs, ys] : [tf.gather(xs, rows), tf.gather(ys, rows)];
          return step.gradients(...(kept as [tf.Tensor, tf.Tensor]), {threshold});
        });
        expectSum(got, want);
      }),
      {...RUNS, numRuns: 30},
    );
  });

  it('needs a selector that ranks over the shards, or a threshold, and tensors that match the model', () => {
    const [xs, ys] = [tf.zeros([0, FEATURES]), tf.zeros([0, CLASSES])];
    const exchange = (mine: ShardLosses) => [mine, {...shardLosses([2, 1]), shard: 1}];
    const select = globalTopK({k: 2, shard: 0, shards: 2, exchange});
    const stepBy = (by: Selector) => ohemStep(model, {loss, select: by, optimizer: tf.train.sgd(1)});
    for (const by of [select, mapSelector(select, (selection) => selection)]) {
      const {gradients, report} = stepBy(by).gradients(xs, ys);
      expect(largestOf(valuesOf(gradients))).toBe(0);
      expect(report.selection.threshold).toEqual({loss: 1, counts: [0, 2], rows: 2});
    }
    const none = 'ohemStep: xs must have at least one row, got [0, 6].';
    expect(() => stepBy(topK({k: 2})).gradients(xs, ys)).toThrow(none);
    expect(() => stepBy(scored(select, (losses) => losses)).gradients(xs, ys)).toThrow(none);
    expect(() => stepBy(select)(xs, ys)).toThrow(none);
    expect(() => stepBy(select).gradients(xs, tf.zeros([1, CLASSES]))).toThrow(
      'ohemStep: ys must have as many rows as xs, 0, got 1.',
    );
    const short = stepBy(globalTopK({k: 3, shard: 0, shards: 2, exchange}));
    expect(() => short.gradients(xs, ys)).toThrow('globalTopK: the result of exchange[1].k must be 3, got 2.');
    const nonZero = ohemStep(model, {loss, select, optimizer: tf.train.sgd(1), reduction: 'meanNonZero'});
    expect(() => nonZero.gradients(xs, ys)).toThrow('ohemStep: reduction over shards must be one of');
  });
});

describeOnBackends('A part of the gradients', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());
  const loss = categoricalCrossentropy();
  const threshold = {loss: 0, counts: [2, 3], rows: 9};
  const part = 'rank whole batches to update weights, got 2 shards. Sum step.gradients';

  it('updates no weight', () => {
    const model = build();
    const before = bitsOf(model);
    const {xs, ys} = batchOf(0, 2);
    const step = ohemStep(model, {loss, select: all(), optimizer: tf.train.sgd(1)});
    expect(() => step(xs, ys, {threshold})).toThrow(`ohemStep: select must ${part}`);
    expect(bitsOf(model)).toEqual(before);
  });

  it('is refused by fitOhem and ohemLoss too', async () => {
    const model = build();
    const {xs, ys} = batchOf(0, 4);
    const select = globalTopK({
      ...{k: 2, shard: 0, shards: 2},
      exchange: (mine) => [mine, {...mine, shard: 1}],
    });
    const fitted = fitOhem(model, xs, ys, {loss, select, optimizer: tf.train.sgd(1), epochs: 1, verbose: 0});
    await expect(fitted).rejects.toThrow(`select must ${part}`);
    const mined = ohemLoss(loss, select);
    expect(() => mined(ys, ys)).toThrow(`ohemLoss: select must ${part}`);
  });

  it('is refused if it is more than the whole, is no result of thresholdOf, or has no divisor over shards', () => {
    const {xs, ys} = batchOf(0, 6);
    const options = {loss, select: all(), optimizer: tf.train.sgd(1)};
    expect(() => ohemStep(build(), options).gradients(xs, ys, {threshold})).toThrow(
      'ohemStep: select must keep no more than the 5 rows of all shards, got 6. Pass only the rows that this shard keeps',
    );
    expect(() => ohemStep(build(), options).gradients(xs, ys, {threshold: {} as never})).toThrow(
      'ohemStep: threshold must be the result of thresholdOf, got undefined.',
    );
    const wrong = (given: object) => () =>
      ohemStep(build(), options).gradients(xs, ys, {threshold: {...threshold, ...given}});
    expect(wrong({counts: [6, -1]})).toThrow('ohemStep: threshold.counts must be integers >= 0, got -1.');
    expect(wrong({counts: [6, 0.5]})).toThrow('ohemStep: threshold.counts must be integers >= 0, got 0.5.');
    expect(wrong({rows: 0})).toThrow('ohemStep: threshold.rows must be an integer >= 1, got 0.');
    expect(wrong({counts: [6, 4]})).toThrow(
      'ohemStep: threshold.counts must add up to at most 9, the rows of all shards, got 10.',
    );
    const nonZero = ohemStep(build(), {...options, reduction: 'meanNonZero'});
    expect(() => nonZero.gradients(xs, ys, {threshold})).toThrow(
      "ohemStep: reduction over shards must be one of mean, sum, batchMean, got 'meanNonZero'.",
    );
  });

  it('is refused of elements, which a threshold does not count, before anything changes', () => {
    const model = elementModel();
    const before = bitsOf(model);
    const options = {loss, select: all(), optimizer: tf.train.sgd(1), granularity: 'element' as const};
    const step = ohemStep(model, options);
    const {xs, ys} = elementsOf(0, 1);
    const message =
      "ohemStep: granularity must be 'sample' with a threshold, which counts rows, got element. " +
      'To rank elements over shards, use globalTopK inside the step.';
    const ofRows = {loss: 0, counts: Array<number>(20).fill(1), rows: 200};
    expect(() => step.gradients(xs, ys, {threshold: ofRows})).toThrow(message);
    expect(() => step(xs, ys, {threshold: {...ofRows, counts: [1]}})).toThrow(message);
    const nothing = [tf.slice(xs, 0, 0), tf.slice(ys, 0, 0)] as const;
    expect(() => step.gradients(...nothing, {threshold: ofRows})).toThrow(message);
    expect(bitsOf(model)).toEqual(before);
  });

  it('is refused of a model that normalises over the batch, unless all shards are one', () => {
    const model = sequential({
      layers: [
        layers.dense({units: 4, inputShape: [FEATURES]}),
        layers.batchNormalization({name: 'normalised'}),
        layers.dense({units: CLASSES, activation: 'softmax'}),
      ],
    });
    const step = ohemStep(model, {loss, select: all(), optimizer: tf.train.sgd(1)});
    const {xs, ys} = batchOf(0, 3);
    const before = bitsOf(model);
    expect(() => step.gradients(xs, ys, {threshold})).toThrow(
      'ohemStep: model must treat each row independently for a threshold over several shards, got the layer normalised, whose',
    );
    expect(bitsOf(model)).toEqual(before);
    const {gradients} = step.gradients(xs, ys, {threshold: {loss: 0, counts: [3], rows: 3}});
    expect(largestOf(valuesOf(gradients))).toBeGreaterThan(0);
  });

  it('may be of one shard, which then takes whole steps', () => {
    const [one, other] = [build(), build()];
    const {xs, ys} = batchOf(0, 6);
    const select = globalTopK({k: 4, shard: 0, shards: 1, exchange: (mine) => [mine]});
    ohemStep(one, {loss, select, optimizer: tf.train.sgd(0.1)})(xs, ys);
    ohemStep(other, {loss, select: topK({k: 4}), optimizer: tf.train.sgd(0.1)})(xs, ys);
    expect(bitsOf(one)).toEqual(bitsOf(other));
  });

  it('reports fewer rows than the shard keeps if one has a weight that is NaN', async () => {
    const model = build();
    const {xs, ys} = batchOf(0, 2);
    const before = bitsOf(model);
    const sampleWeight = tf.tensor1d([1, Number.NaN]);
    const step = ohemStep(model, {loss, select: all(), optimizer: tf.train.momentum(1, 0.9)});
    const {report} = step.gradients(xs, ys, {threshold, sampleWeight});
    expect((await report.read()).kept).toBeLessThan(2);
    expect(bitsOf(model)).toEqual(before);
  });

  it('is zero of a batch without rows, which needs a threshold', async () => {
    const step = ohemStep(build(), {loss, select: all(), optimizer: tf.train.sgd(0.1)});
    const nothing = [tf.zeros([0, FEATURES]), tf.zeros([0, CLASSES])] as const;
    const {gradients, report} = step.gradients(...nothing, {threshold});
    expect(Object.values(gradients).map(({shape}) => shape)).toEqual([[FEATURES, 8], [8], [8, CLASSES], [CLASSES]]);
    expect(largestOf(valuesOf(gradients))).toBe(0);
    expect(await report.read()).toEqual({loss: 0, batchLoss: 0, kept: 0, nonFinite: 0});
    const narrow = [tf.zeros([0, FEATURES - 1]), tf.zeros([0, CLASSES])] as const;
    expect(() => step.gradients(...narrow, {threshold})).toThrow('ohemStep: xs must have the shape of the input');
    expect(() => step.gradients(nothing[0], tf.zeros([2, CLASSES]), {threshold})).toThrow(
      'ohemStep: ys must have as many',
    );
    const reduction = 'meanNonZero' as const;
    const nonZero = ohemStep(build(), {loss, select: all(), optimizer: tf.train.sgd(0.1), reduction});
    expect(() => nonZero.gradients(...nothing, {threshold})).toThrow('ohemStep: reduction over shards must be one of');
    expect(() => step.gradients(...nothing)).toThrow('ohemStep: xs must have at least one row, got [0, 6].');
  });
});

describeOnBackends('A selection of no row', () => {
  it('changes nothing, and is reported', async () => {
    const model = build();
    const before = bitsOf(model);
    const {xs, ys} = batchOf(0, 4);
    const select = () => ({indices: tf.tensor1d([], 'int32'), weights: tf.tensor1d([])});
    const step = ohemStep(model, {loss: categoricalCrossentropy(), select, optimizer: tf.train.adam(1)});
    expect(await step(xs, ys).read()).toMatchObject({loss: 0, kept: 0});
    expect(bitsOf(model)).toEqual(before);
  });
});
