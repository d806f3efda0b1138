import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {rankPressure} from 'ohem-tfjs';
import {beforeAll, describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectSuccessive, gumbel, largestPlaces, SIX, uniforms} from '../support/draws';
import {RUNS, randomFrom} from '../support/property';
import {keeps, keptRows, largestRows, lossRows, marks, selected, shareOf} from '../support/selections';
import {onEachBackend} from '../support/tensors';

/** Their ranks: 0 for the hardest. */
const RANKS = [3, 0, 5, 2, 1, 4];
const chancesFor = (pressure: number) => RANKS.map((rank) => Math.exp((-Math.log(pressure) * rank) / 6));

describe('In 20,000 draws rankPressure', () => {
  beforeAll(async () => {
    await tf.setBackend('cpu');
  });

  it.each([1, 30])('keeps rows as often as drawing one after the other does, at pressure %d', (pressure) => {
    expectSuccessive(rankPressure({k: 2, pressure, seed: 21}), SIX, chancesFor(pressure), 2, 20_000);
  });

  it('counts ranks and rows among those that may be selected only', () => {
    const losses = [...SIX, Number.NaN, Number.POSITIVE_INFINITY, 99];
    const valid = marks([1, 1, 1, 1, 1, 1, 1, 1, 0]);
    expectSuccessive(rankPressure({k: 3, pressure: 30, seed: 22}), losses, chancesFor(30), 3, 5000, {valid});
  });
});

describeOnBackends('rankPressure', () => {
  it('gives the drawn rows hardest first, with weight 1', () => {
    for (let step = 0; step < 20; step++) {
      const {indices, weights} = selected(rankPressure({k: 3, pressure: 10}), SIX, {step});
      const losses = indices.map((row) => SIX[row] as number);
      expect(losses).toEqual([...losses].sort((a, b) => b - a));
      expect(weights).toEqual([1, 1, 1]);
    }
  });

  it('all but keeps the hardest under a very high pressure', () => {
    // Each rank is likelier than the next by 1e300^(1/6) = 1e50.
    expect(selected(rankPressure({k: 3, pressure: 1e300}), SIX)).toEqual({indices: [1, 4, 3], weights: [1, 1, 1]});
  });

  it('gives weight 0 to the places for which there are too few valid rows', () => {
    const valid = marks([0, 0, 0, 1, 1, 0]);
    expect(selected(rankPressure({k: 3, pressure: 5}), SIX, {valid}).weights).toEqual([1, 1, 0]);
    expect(selected(rankPressure({ratio: 0.5, pressure: 5}), SIX, {valid}).weights).toEqual([1, 0, 0]);
    expect(selected(rankPressure({k: 2, pressure: 5}), SIX, {valid: marks([0, 0, 0, 0, 0, 0])}).weights).toEqual([
      0, 0,
    ]);
  });

  it('draws what largest keys in float64 draw, from any batch, as many as topK keeps', () => {
    const property = fc.property(
      lossRows,
      keeps,
      fc.constantFrom(1, 2, 50, 1e4),
      fc.integer(),
      fc.nat(1000),
      (losses, keep, pressure, seed, step) => {
        const random = randomFrom(seed);
        const valid = losses.map(() => (random() < 0.7 ? 1 : 0));
        const selection = tf.tidy(() =>
          selected(rankPressure({...keep, pressure, seed}), losses, {step, valid: marks(valid)}),
        );
        const order = largestRows(losses, {k: losses.length}, valid);
        const noise = uniforms(losses.length, seed, step).map(gumbel);
        const keys = order.map((_, place) => (-Math.log(pressure) * place) / order.length + (noise[place] as number));
        const count = 'k' in keep ? (keep.k as number) : shareOf(keep as {ratio: number}, valid.filter(Boolean).length);
        const places = largestPlaces(keys, count).sort((a, b) => a - b);
        expect(keptRows(selection)).toEqual(places.map((place) => order[place]));
      },
    );
    fc.assert(property, RUNS);
  });

  it('draws the same rows on every backend, also of a large batch', async () => {
    const before = tf.getBackend();
    const random = randomFrom(6);
    const losses = Array.from({length: 3000}, () => Math.floor(random() * 500));
    const select = rankPressure({ratio: 0.3, pressure: 77, seed: 2});
    const draws = () => Array.from({length: 3}, (_, step) => selected(select, losses, {step}));
    const [onCpu, ...others] = await onEachBackend(draws);
    for (const other of others) expect(other).toEqual(onCpu);
    await tf.setBackend(before);
  });

  it('refuses wrong options when it is built', () => {
    for (const pressure of [0.99, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, undefined as never]) {
      expect(() => rankPressure({k: 2, pressure})).toThrow(
        new RangeError(`rankPressure: pressure must be a finite number >= 1, got ${pressure}.`),
      );
    }
    expect(() => rankPressure({pressure: 2} as never)).toThrow(
      new TypeError('rankPressure: options must have either k or ratio, got {}. Pass {k: 32} or {ratio: 0.75}.'),
    );
    expect(() => rankPressure({k: 2, pressure: 2, decay: 1} as never)).toThrow(
      new TypeError('rankPressure: options must have the names k, ratio, minK, pressure, seed, got decay.'),
    );
  });
});
