import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {rankSampling} from 'ohem-tfjs';
import {beforeAll, describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectSuccessive, gumbel, largestPlaces, SIX, uniforms} from '../support/draws';
import {RUNS, randomFrom} from '../support/property';
import {keptRows, largestRows, lossRows, marks, selected} from '../support/selections';
import {onEachBackend} from '../support/tensors';

/** Their ranks: 0 for the easiest. */
const RANKS = [2, 5, 0, 3, 4, 1];
const drawsOf = (ratio: number) => Math.max(1, Math.floor(ratio * 6));
const chanceOf = (rank: number, ratio: number, rows: number) => ((rank + 0.5) / rows) ** (1 / ratio - 1);

describe('In 20,000 draws rankSampling', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it.each([0.5, 0.34])('keeps rows as often as drawing one after the other does, at ratio %d', (ratio) => {
    const chances = RANKS.map((rank) => chanceOf(rank, ratio, 6));
    expectSuccessive(rankSampling({ratio, seed: 11}), SIX, chances, drawsOf(ratio), 20_000);
  });

  it('ranks a row among those that may be selected only', () => {
    const losses = [...SIX, Number.NaN, Number.POSITIVE_INFINITY, 99];
    const valid = marks([1, 1, 1, 1, 1, 1, 1, 1, 0]);
    // floor(0.4 · 8 valid rows) = 3 draws, of the six that are finite too.
    const chances = RANKS.map((rank) => chanceOf(rank, 0.4, 6));
    expectSuccessive(rankSampling({ratio: 0.4, seed: 12}), losses, chances, 3, 5000, {valid});
  });
});

describeOnBackends('rankSampling', () => {
  it('draws floor(ratio · B) rows, at least one', () => {
    const kept = (ratio: number, batchSize: number) => {
      const losses = Array.from({length: batchSize}, (_, row) => row);
      return selected(rankSampling({ratio}), losses).weights.length;
    };
    expect([kept(0.5, 5), kept(0.7, 5), kept(0.01, 5), kept(1, 5), kept(0.3, 1)]).toEqual([2, 3, 1, 5, 1]);
    // As one counts by hand, where floating point has 28.999999999999996, 56.99999999999999 and
    // 69.99999999999999.
    expect([kept(0.29, 100), kept(0.57, 100), kept(0.7, 100)]).toEqual([29, 57, 70]);
  });

  it('keeps all rows at ratio 1, hardest first', () => {
    expect(selected(rankSampling({ratio: 1}), SIX)).toEqual({indices: [1, 4, 3, 0, 5, 2], weights: Array(6).fill(1)});
  });

  it('draws by the rank, not by how large the losses are', () => {
    const stretched = SIX.map((loss) => Math.exp(20 * loss));
    for (let step = 0; step < 20; step++) {
      const select = rankSampling({ratio: 0.5, seed: 3});
      expect(selected(select, stretched, {step})).toEqual(selected(select, SIX, {step}));
    }
  });

  it('draws other rows for another step and another seed, and the same for the same', () => {
    const losses = Array.from({length: 64}, (_, row) => row / 64);
    const drawn = (seed: number, step: number) => keptRows(selected(rankSampling({ratio: 0.25, seed}), losses, {step}));
    expect(drawn(1, 2)).toEqual(drawn(1, 2));
    const all = [drawn(1, 2), drawn(1, 3), drawn(2, 2), drawn(12, 0), drawn(1, 20)];
    expect(new Set(all.map(String)).size).toBe(all.length);
    expect(selected(rankSampling({ratio: 0.5}), SIX)).toEqual(
      selected(rankSampling({ratio: 0.5, seed: 0}), SIX, {step: 0}),
    );
  });

  it('gives weight 0 to the places over floor(ratio · valid rows)', () => {
    const valid = marks([1, 1, 1, 0, 0, 0]);
    const {indices, weights} = selected(rankSampling({ratio: 0.5}), SIX, {valid});
    expect(weights).toEqual([1, 0, 0]); // floor(1.5) of the three; sized for 3 of six
    expect(indices[0]).toBeLessThan(3);
    expect(selected(rankSampling({ratio: 0.5}), SIX, {valid: marks([0, 0, 0, 0, 0, 0])}).weights).toEqual([0, 0, 0]);
  });

  it('draws what largest keys in float64 draw, from any batch', () => {
    const property = fc.property(
      lossRows,
      fc.constantFrom(0.1, 0.25, 0.5, 0.7, 0.9, 1),
      fc.integer(),
      fc.nat(1000),
      (losses, ratio, seed, step) => {
        const random = randomFrom(seed);
        const valid = losses.map(() => (random() < 0.7 ? 1 : 0));
        const selection = tf.tidy(() => selected(rankSampling({ratio, seed}), losses, {step, valid: marks(valid)}));
        const order = largestRows(losses, {k: losses.length}, valid);
        const noise = uniforms(losses.length, seed, step).map(gumbel);
        const keys = order.map(
          (_, place) => Math.log(chanceOf(order.length - 1 - place, ratio, losses.length)) + (noise[place] as number),
        );
        const validRows = valid.filter(Boolean).length;
        const places = largestPlaces(keys, Math.max(1, Math.floor(ratio * validRows + 1e-9))).sort((a, b) => a - b);
        expect(keptRows(selection)).toEqual(places.map((place) => order[place]));
      },
    );
    fc.assert(property, RUNS);
  });

  it('draws the same rows on every backend, also of a large batch', async () => {
    const before = tf.getBackend();
    const random = randomFrom(5);
    const losses = Array.from({length: 3000}, () => Math.floor(random() * 500));
    const draws = () =>
      Array.from({length: 3}, (_, step) => selected(rankSampling({ratio: 0.3, seed: 2}), losses, {step}));
    const [onCpu, ...others] = await onEachBackend(draws);
    for (const other of others) expect(other).toEqual(onCpu);
    await tf.setBackend(before);
  });

  it('refuses a ratio that is none, and other options, when it is built', () => {
    for (const [ratio, shown] of [
      [0, '0'],
      [1.5, '1.5'],
      [Number.NaN, 'NaN'],
      ['half', "'half'"],
    ] as const) {
      expect(() => rankSampling({ratio: ratio as number})).toThrow(
        new RangeError(`rankSampling: ratio must be in (0, 1], got ${shown}.`),
      );
    }
    expect(() => rankSampling({keep: 0.5} as never)).toThrow(
      new TypeError('rankSampling: options must have the names ratio, seed, got keep.'),
    );
  });
});
