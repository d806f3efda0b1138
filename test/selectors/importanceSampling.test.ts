import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {all, categoricalCrossentropy, importanceSampling, ohemStep, type Selector, scored} from 'ohem-tfjs';
import {beforeAll, describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectCounts, sumOf} from '../support/draws';
import {RUNS, randomFrom} from '../support/property';
import {keptRows, lossRows, marks, selected} from '../support/selections';
import {onEachBackend} from '../support/tensors';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const FIVE = [0.5, 2, 0, 1, 1.5];

/** Numbers of a random batch over three blocks, spread over six powers of ten. */
function spread(size: number, seed: number): number[] {
  const random = randomFrom(seed);
  return Array.from({length: size}, () => Math.fround(10 ** (6 * random() - 3)));
}

/** All rows that are drawn in a number of steps. */
function drawnRows(select: Selector, losses: readonly number[], steps: number): number[] {
  return Array.from({length: steps}, (_, step) => selected(select, losses, {step}).indices).flat();
}

const countsOf = (rows: readonly number[], size: number) => {
  const counts = Array<number>(size).fill(0);
  for (const row of rows) counts[row] = (counts[row] ?? 0) + 1;
  return counts;
};

describe('In 20,000 draws importanceSampling', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it('draws every row in proportion to its score', () => {
    const losses = Array.from({length: 100}, (_, row) => FIVE[row % 5] as number);
    const rows = drawnRows(importanceSampling({k: 100, seed: 41}), losses, 200);
    expectCounts(
      countsOf(rows, 100),
      losses.map((loss) => loss / 100),
      20_000,
    );
  });

  it('draws every row of several blocks in proportion to its score', () => {
    const losses = Array.from({length: 300}, (_, row) => 1 + (row % 7));
    const rows = drawnRows(importanceSampling({k: 300, seed: 42}), losses, 67);
    expectCounts(
      countsOf(rows, 300),
      losses.map((loss) => loss / sumOf(losses)),
      300 * 67,
    );
  });

  it('draws uniformly where no score is over 0', () => {
    const losses = Array.from({length: 100}, (_, row) => [0, -0, -1, Number.NaN, -1e30][row % 5] as number);
    const rows = drawnRows(importanceSampling({k: 100, seed: 43}), losses, 200);
    expectCounts(
      countsOf(rows, 100),
      losses.map((loss) => (Number.isNaN(loss) ? 0 : 1 / 80)),
      20_000,
    );
  });

  it.each([1, 2, 3])('weighs what it draws so that the mean is unbiased, for scores of seed %i', (seed) => {
    // The mean of n draws of w · l, w = 1/(B · p), has the standard error √((Σ (l/B)²/p − mean²) /
    // n); within four of them.
    const [scores, losses] = [spread(300, seed), spread(300, 100 + seed)];
    const p = scores.map((score) => score / sumOf(scores));
    const mean = sumOf(losses) / 300;
    const variance = sumOf(losses.map((loss, row) => (loss / 300) ** 2 / (p[row] as number))) - mean ** 2;
    const select = scored(importanceSampling({k: 100, seed}), () => tf.tensor1d(scores));
    let sum = 0;
    for (let step = 0; step < 200; step++) {
      const {indices, weights} = selected(select, losses, {step});
      sum += sumOf(indices.map((row, place) => (weights[place] as number) * (losses[row] as number)));
    }
    expect(Math.abs(sum / 20_000 - mean)).toBeLessThan(4 * Math.sqrt(variance / 20_000));
  });
});

describeOnBackends('importanceSampling', () => {
  it('gives each draw the weight 1 / (B · p), hardest first', () => {
    const {indices, weights} = selected(importanceSampling({k: 4, seed: 2}), FIVE, {step: 1});
    const losses = indices.map((row) => FIVE[row] as number);
    expect(losses).toEqual([...losses].sort((a, b) => b - a));
    expectClose(
      weights,
      losses.map((loss) => 5 / (5 * loss)),
      {absolute: 0, relative: 1e-6},
    );
  });

  it('estimates the mean exactly when it draws by the losses themselves', () => {
    for (const losses of [FIVE, spread(300, 4), [3e38, 2e38, 1e38, 0]]) {
      const {indices, weights} = selected(importanceSampling({k: 50, seed: 3}), losses);
      const terms = indices.map(
        (row, place) => ((weights[place] as number) * (losses[row] as number)) / indices.length,
      );
      const mean = sumOf(losses.map((loss) => loss / losses.length));
      expectClose([sumOf(terms)], [mean], {absolute: 0, relative: 1e-5});
    }
  });

  it('draws min(k, B) times, with replacement', () => {
    expect(selected(importanceSampling({k: 3}), [0, 4, 0, 0, 0])).toEqual({
      indices: [1, 1, 1],
      weights: [0.2, 0.2, 0.2].map(Math.fround),
    });
    expect(selected(importanceSampling({k: 9}), [1, 2]).indices).toHaveLength(2);
  });

  it('counts the rows that may be selected only', () => {
    const losses = [4, Number.NaN, 4, Number.POSITIVE_INFINITY, 4, 4];
    const valid = marks([1, 1, 0, 1, 1, 1]);
    const {indices, weights} = selected(importanceSampling({k: 6, seed: 5}), losses, {valid});
    expect(indices.every((row) => [0, 4, 5].includes(row))).toBe(true);
    expectClose(weights, Array(6).fill(1), {absolute: 0, relative: 1e-6}); // p = 1/3 of three rows
  });

  it('gives weights 0 where no row may be selected', () => {
    expect(selected(importanceSampling({k: 2}), [1, 2, 3], {valid: marks([0, 0, 0])}).weights).toEqual([0, 0]);
    expect(selected(importanceSampling({k: 2}), [Number.NaN, Number.NEGATIVE_INFINITY]).weights).toEqual([0, 0]);
  });

  it('draws uniformly where all scores are 0 or less', () => {
    for (const losses of [
      [0, 0, 0],
      [-1, -2, -3],
    ]) {
      expect(selected(importanceSampling({k: 3}), losses).weights).toEqual([1, 1, 1]);
    }
  });

  it('gives weights that are finite and fit what was drawn, from any batch', () => {
    const property = fc.property(lossRows, fc.integer({min: 1, max: 30}), fc.integer(), (losses, k, seed) => {
      const random = randomFrom(seed);
      const valid = losses.map(() => (random() < 0.7 ? 1 : 0));
      const selection = tf.tidy(() => selected(importanceSampling({k, seed}), losses, {step: 2, valid: marks(valid)}));
      const usable = losses.flatMap((loss, row) => (Number.isFinite(loss) && valid[row] ? [row] : []));
      const scores = usable.map((row) => Math.max(0, losses[row] as number));
      const kept = keptRows(selection);
      expect(kept).toHaveLength(usable.length === 0 ? 0 : Math.min(k, losses.length));
      kept.forEach((row, place) => {
        const score = scores[usable.indexOf(row)] as number;
        const p = sumOf(scores) === 0 ? 1 / usable.length : score / sumOf(scores);
        expectClose([selection.weights[place] as number], [1 / (usable.length * p)], {absolute: 0, relative: 1e-5});
      });
    });
    fc.assert(property, RUNS);
  });

  it('draws the same rows on every backend, also of a large batch', async () => {
    const before = tf.getBackend();
    const losses = spread(20_000, 8);
    const select = importanceSampling({k: 500, seed: 2});
    const draws = () => Array.from({length: 3}, (_, step) => selected(select, losses, {step}));
    const [onCpu, ...others] = await onEachBackend(draws);
    for (const other of others) expect(other).toEqual(onCpu);
    await tf.setBackend(before);
  });

  it('draws other rows for another step and another seed, and the same for the same', () => {
    const losses = spread(64, 1).map(Math.cbrt);
    const drawn = (seed: number, step: number) =>
      String(selected(importanceSampling({k: 20, seed}), losses, {step}).indices);
    expect(drawn(1, 2)).toBe(drawn(1, 2));
    expect(new Set([drawn(1, 2), drawn(1, 3), drawn(2, 2), drawn(12, 0)]).size).toBe(4);
  });

  it.each(['masked', 'recompute', 'pruned'] as const)(
    'trains on a row that is drawn twice twice, by %s',
    (backward) => {
      const select = importanceSampling({k: 6, seed: 3});
      const model = tinyModel();
      const [loss, before] = [categoricalCrossentropy(), weightValues(model)];
      const report = ohemStep(model, {loss, select, optimizer: tf.train.sgd(1), reduction: 'sum', backward})(
        tinyXs(),
        tinyYs(),
      );
      const [indices, weights] = [[...report.selection.indices.dataSync()], [...report.selection.weights.dataSync()]];
      expect(new Set(indices).size).toBeLessThan(6);

      const expected = before.map((values) => [...values]);
      indices.forEach((row, place) => {
        const alone = tinyModel();
        const take = (tensor: tf.Tensor) => tf.slice(tensor, row, 1);
        ohemStep(alone, {loss, select: all(), optimizer: tf.train.sgd(1)})(take(tinyXs()), take(tinyYs())).dispose();
        weightValues(alone).forEach((values, variable) => {
          values.forEach((value, i) => {
            const change = value - (before[variable]?.[i] as number);
            (expected[variable] as number[])[i] =
              (expected[variable]?.[i] as number) + change * (weights[place] as number);
          });
        });
      });
      weightValues(model).forEach((values, variable) => {
        expectClose(values, expected[variable] as number[], {absolute: 1e-5, relative: 1e-4});
      });
    },
  );

  it('refuses a k that is none, and other options, when it is built', () => {
    for (const k of [0, -1, 2.5, Number.NaN]) {
      expect(() => importanceSampling({k})).toThrow(
        new RangeError(`importanceSampling: k must be an integer >= 1, got ${k}.`),
      );
    }
    expect(() => importanceSampling({k: 1, ratio: 0.5} as never)).toThrow(
      new TypeError('importanceSampling: options must have the names k, seed, got ratio.'),
    );
  });
});
