import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {ohemStep, percentileSampling, type SelectionContext, sparseCategoricalCrossentropy} from 'ohem-tfjs';
import {beforeAll, describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectCounts, uniforms} from '../support/draws';
import {RUNS, randomFrom} from '../support/property';
import {keptRows, lossRows, marks, selected} from '../support/selections';
import {leftBy, onEachBackend, valuesOf} from '../support/tensors';
import {weightValues} from '../support/tinyModel';

const FOUR = [0.2, 0.8, 0.6, 0.4];

/** The share of recent losses that is below each, one by one. */
function sharesOf(losses: number[], valid: number[], memory: number[], length: number): number[] {
  const ofBatch = losses.map((loss, row) => (valid[row] ? loss : Number.NaN));
  const recent = [...ofBatch, ...memory].slice(0, length).filter(Number.isFinite);
  return losses.map((loss) => {
    if (recent.length >= Math.min(2, length) && recent.every((other) => other === loss)) return 0.5;
    return recent.filter((other) => other < loss).length / Math.max(1, recent.length);
  });
}

const remembered = (
  options: {power: number; historyLength?: number},
  losses: number[],
  context: SelectionContext = {},
) =>
  valuesOf(() => percentileSampling(options).remember?.(tf.tensor1d(losses), {memory: null, ...context}) as tf.Tensor);

describe('In 20,000 draws percentileSampling', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('keeps each row with the chance of its percentile', () => {
    // Ten copies of the four rows, and of two that are remembered: of all, 0, 4, 3 and 2 sixths are
    // below. In 2000 steps each is drawn 20 000 times.
    const losses = Array.from({length: 40}, (_, row) => FOUR[row % 4] as number);
    const memory = tf.tensor1d(Array.from({length: 20}, (_, row) => (row % 2 === 0 ? 0.3 : 0.9)));
    const select = percentileSampling({power: 2, minProbability: 0.05, seed: 31});
    const counts = Array<number>(4).fill(0);
    let both = 0;
    for (let step = 0; step < 2000; step++) {
      const kept = new Set(keptRows(selected(select, losses, {step, memory})));
      for (const row of kept) counts[row % 4] = (counts[row % 4] as number) + 1;
      for (let row = 0; row < 40; row += 4) both += kept.has(row + 1) && kept.has(row + 2) ? 1 : 0;
    }
    const chances = [0.05, (4 / 6) ** 2, (3 / 6) ** 2, (2 / 6) ** 2];
    expectCounts(counts, chances, 20_000);
    // One row knows nothing of another: two are both kept as often as the product of their chances
    // says.
    expectCounts([both], [(4 / 6) ** 2 * (3 / 6) ** 2], 20_000);
  });
});

describeOnBackends('percentileSampling', () => {
  it('never keeps the smallest of the recent losses, nor its equals, without a minimum', () => {
    for (let step = 0; step < 40; step++) {
      const kept = keptRows(selected(percentileSampling({power: 0.01}), [0.5, 0.1, 0.9, 0.1], {step, memory: null}));
      expect(kept).not.toContain(1);
      expect(kept).not.toContain(3);
    }
    expect(selected(percentileSampling({power: 1}), [0.5], {memory: null})).toEqual({indices: [0], weights: [0]});
  });

  it('keeps everything with a minimum of 1, hardest first, but what may not be kept', () => {
    const select = percentileSampling({power: 3, minProbability: 1});
    expect(selected(select, FOUR, {memory: null})).toEqual({indices: [1, 2, 3, 0], weights: [1, 1, 1, 1]});
    expect(keptRows(selected(select, [...FOUR, Number.NaN], {valid: marks([1, 0, 1, 1, 1]), memory: null}))).toEqual([
      2, 3, 0,
    ]);
  });

  it('gives a row for each of the batch: the kept ones hardest first, then the others with weight 0', () => {
    const {indices, weights} = selected(percentileSampling({power: 1, seed: 2}), FOUR, {step: 3, memory: null});
    expect([...indices].sort()).toEqual([0, 1, 2, 3]);
    const kept = weights.filter(Boolean).length;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(4);
    expect(weights).toEqual([0, 1, 2, 3].map((place) => (place < kept ? 1 : 0)));
  });

  it('takes losses that all recent ones are equal to for the median, and keeps half of them', () => {
    const select = percentileSampling({power: 1, seed: 3});
    const keptOf = (losses: number[], memory: number[] | null) =>
      Array.from(
        {length: 50},
        (_, step) =>
          keptRows(selected(select, losses, {step, memory: memory && tf.tensor1d(memory)})).length / losses.length,
      ).reduce((sum, share) => sum + share / 50, 0);
    for (const [losses, memory] of [
      [Array(40).fill(0.7), null],
      [Array(40).fill(0), [0, 0, Number.NaN]],
      [[3], [3]],
    ] as const) {
      expect(Math.abs(keptOf([...losses], memory && [...memory]) - 0.5)).toBeLessThan(0.15);
    }
    expect(keptOf([0.7, 0.7], [0.8])).toBe(0);
    expect(keptOf([0.7, 0.7], [0.6])).toBeCloseTo(1 / 3, 1);
  });

  it('trains a model whose losses are all equal, and one that sees a single row, whatever it remembers', () => {
    for (const [rows, historyLength] of [
      [4, 1024],
      [1, 1024],
      [1, 1],
    ] as const) {
      const kernelInitializer = 'zeros';
      const dense = layers.dense({units: 2, kernelInitializer, activation: 'softmax', inputShape: [2]});
      const model = sequential({layers: [dense]});
      const step = ohemStep(model, {
        loss: sparseCategoricalCrossentropy(),
        select: percentileSampling({power: 1, seed: 1, historyLength}),
        optimizer: tf.train.sgd(0.5),
      });
      const xs = tf.tensor2d([1, 0, 0, 1, 2, 0, 0, 3].slice(0, 2 * rows), [rows, 2]);
      const ys = tf.tensor1d([0, 1, 0, 1].slice(0, rows), 'int32');
      for (let t = 0; t < 30; t++) step(xs, ys).dispose();
      const [kernel] = weightValues(model);
      expect(kernel?.some((value) => value !== 0)).toBe(true);
      step.dispose();
    }
  });

  it('compares with the losses it remembers', () => {
    const select = percentileSampling({power: 1, seed: 4});
    const keptOf = (memory: number[]) =>
      Array.from(
        {length: 40},
        (_, step) => keptRows(selected(select, FOUR, {step, memory: tf.tensor1d(memory)})).length,
      );
    const total = (memory: number[]) => keptOf(memory).reduce((sum, count) => sum + count);
    expect(total(Array(50).fill(1))).toBeLessThan(20); // an easy batch: at most 3 of 54 are below
    expect(total(Array(50).fill(0))).toBeGreaterThan(140); // a hard one: at least 50 of 54 are
  });

  it('remembers this batch first, then the earlier ones, as many as requested', () => {
    const memory = tf.tensor1d([7, 8, 9]);
    expect(remembered({power: 1}, [1, 2])).toEqual([1, 2]);
    expect(remembered({power: 1}, [1, 2], {memory})).toEqual([1, 2, 7, 8, 9]);
    expect(remembered({power: 1, historyLength: 4}, [1, 2], {memory})).toEqual([1, 2, 7, 8]);
    expect(remembered({power: 1, historyLength: 2}, [1, 2, 3], {memory})).toEqual([1, 2]);
    expect(remembered({power: 1}, Array(2000).fill(1))).toHaveLength(1024);
  });

  it('remembers rows that may not be selected as no loss, and does not count them', () => {
    const valid = marks([1, 0, 1]);
    expect(remembered({power: 1}, [1, 2, Number.POSITIVE_INFINITY], {valid})).toEqual([1, Number.NaN, Number.NaN]);
    const select = percentileSampling({power: 1, seed: 8});
    for (let step = 0; step < 20; step++) {
      const clean = selected(select, FOUR, {step, memory: tf.tensor1d([0.3])});
      const memory = tf.tensor1d([Number.NaN, 0.3, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
      expect(selected(select, FOUR, {step, memory})).toEqual(clean);
    }
  });

  it('hands on what the next batch is compared with', () => {
    const select = percentileSampling({power: 1, historyLength: 6});
    let memory: tf.Tensor1D | null = null;
    for (const losses of [
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
    ]) {
      memory = select.remember?.(tf.tensor1d(losses), {memory}) as tf.Tensor1D;
    }
    expect([...(memory as unknown as tf.Tensor1D).dataSync()]).toEqual([7, 8, 5, 6, 3, 4]);
  });

  it('leaks nothing when it remembers, and leaves the memory as it was', () => {
    const [losses, memory] = [tf.tensor1d(FOUR), tf.tensor1d([1, 2])];
    const select = percentileSampling({power: 1});
    expect(leftBy(() => select(losses, {memory}))).toBe(0);
    expect(leftBy(() => select.remember?.(losses, {memory}) as tf.Tensor)).toBe(0);
    expect([...memory.dataSync()]).toEqual([1, 2]);
  });

  it('keeps what the same numbers keep one by one, from any batch and memory', () => {
    const property = fc.property(
      lossRows,
      fc.option(lossRows),
      fc.constantFrom(0.5, 1, 3),
      fc.constantFrom(0, 0.1, 0.5),
      fc.constantFrom(1, 5, 1024),
      fc.integer(),
      (losses, memory, power, minProbability, historyLength, seed) => {
        const random = randomFrom(seed);
        const valid = losses.map(() => (random() < 0.8 ? 1 : 0));
        const selection = tf.tidy(() => {
          const context = {step: 3, valid: marks(valid), memory: memory && tf.tensor1d(memory)};
          return selected(percentileSampling({power, minProbability, historyLength, seed}), losses, context);
        });
        const shares = sharesOf(losses, valid, memory ?? [], historyLength);
        const isKept = uniforms(losses.length, seed, 3).map(
          (uniform, row) => uniform < Math.max(minProbability, (shares[row] as number) ** power),
        );
        const expected = losses.flatMap((loss, row) =>
          isKept[row] && valid[row] && Number.isFinite(loss) ? [row] : [],
        );
        expected.sort((a, b) => (losses[b] as number) - (losses[a] as number) || a - b);
        expect(keptRows(selection)).toEqual(expected);
      },
    );
    fc.assert(property, RUNS);
  });

  it('draws the same on every backend, also of a large batch', async () => {
    const before = tf.getBackend();
    const random = randomFrom(7);
    const losses = Array.from({length: 3000}, () => random() ** 4);
    const select = percentileSampling({power: 2.5, seed: 2, historyLength: 4000});
    const draws = () =>
      Array.from({length: 3}, (_, step) => selected(select, losses, {step, memory: tf.tensor1d(losses)}));
    const [onCpu, ...others] = await onEachBackend(draws);
    for (const other of others) expect(other).toEqual(onCpu);
    await tf.setBackend(before);
  });

  it('takes a batch of 100,000 without comparing each with each', async () => {
    // One comparison of each with the history would be 1e8 numbers, 100 MB or more; a few lists of
    // the batch are a tenth of that.
    const losses = tf.randomUniform([100_000], 0, 1, 'float32', 'many') as tf.Tensor1D;
    const before = tf.memory().numBytes;
    const {peakBytes} = await tf.profile(() => {
      tf.dispose(percentileSampling({power: 1, minProbability: 0.5})(losses, {memory: null}));
    });
    expect(peakBytes - before).toBeLessThan(10e6);
  });

  it('refuses wrong options when it is built', () => {
    const built = (options: object) => () => percentileSampling({power: 1, ...options});
    for (const power of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(built({power})).toThrow(
        new RangeError(`percentileSampling: power must be a finite number > 0, got ${power}.`),
      );
    }
    expect(built({historyLength: 0})).toThrow(
      new RangeError('percentileSampling: historyLength must be an integer >= 1, got 0.'),
    );
    for (const minProbability of [-0.1, 1.1, Number.NaN]) {
      expect(built({minProbability})).toThrow(
        new RangeError(`percentileSampling: minProbability must be in [0, 1], got ${minProbability}.`),
      );
    }
  });

  it('refuses a memory that is no list of losses', () => {
    for (const [memory, shown] of [
      [tf.ones([2, 2]), 'a tensor float32[2, 2]'],
      [tf.ones([2], 'int32'), 'a tensor int32[2]'],
      [[1, 2], '[1, 2]'],
    ] as const) {
      expect(() => percentileSampling({power: 1})(tf.tensor1d(FOUR), {memory: memory as never})).toThrow(
        new TypeError(
          `percentileSampling: memory must be null or what remember() returned for the batch before, got ${shown}.`,
        ),
      );
    }
  });

  it('refuses to select and to remember without a memory, and says what to pass', () => {
    const select = percentileSampling({power: 1});
    const error = new TypeError(
      'percentileSampling: memory must be in the context, got undefined. Pass {memory: null} with the first batch. ' +
        'To wrap the selector, use mapSelector, which keeps its state.',
    );
    const losses = tf.tensor1d(FOUR);
    for (const call of [select, select.remember as NonNullable<typeof select.remember>]) {
      expect(leftBy(() => void expect(() => call(losses)).toThrow(error))).toBe(0);
      expect(() => call(losses, {step: 3})).toThrow(error);
    }
  });
});
