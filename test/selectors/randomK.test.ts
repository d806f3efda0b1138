import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {randomK} from 'ohem-tfjs';
import {expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RUNS, randomFrom} from '../support/property';
import {keeps, keptRows, lossRows, marks, selected, shareOf} from '../support/selections';
import {onEachBackend} from '../support/tensors';

const SIXTEEN = Array.from({length: 16}, (_, row) => ((row * 7) % 16) / 16);
const drawn = (seed: number, step: number) => keptRows(selected(randomK({k: 6, seed}), SIXTEEN, {step}));
const sorted = (rows: readonly number[]) => [...rows].sort((a, b) => a - b);

describeOnBackends('randomK', () => {
  it('draws k different rows', () => {
    const rows = drawn(1, 0);
    expect(rows).toHaveLength(6);
    expect(new Set(rows).size).toBe(6);
  });

  it('draws the same rows for the same seed and step, built anew or not', () => {
    const select = randomK({k: 6, seed: 3});
    expect(selected(select, SIXTEEN, {step: 5})).toEqual(selected(select, SIXTEEN, {step: 5}));
    expect(drawn(3, 5)).toEqual(drawn(3, 5));
  });

  it('draws other rows for another step, and for another seed', () => {
    // There are 8008 ways to draw 6 of 16 rows: among 50 draws hardly any comes twice.
    const different = (draws: number[][]) => new Set(draws.map((rows) => String(sorted(rows)))).size;
    const fifty = Array.from({length: 50}, (_, i) => i);
    expect(different(fifty.map((step) => drawn(3, step)))).toBeGreaterThan(45);
    expect(different(fifty.map((seed) => drawn(seed, 3)))).toBeGreaterThan(45);
  });

  it('does not take seed 1 at step 11 for seed 11 at step 1', () => {
    expect(sorted(drawn(1, 11))).not.toEqual(sorted(drawn(11, 1)));
  });

  it('is deterministic with seed 0, which is the default, and without a step, which is step 0', () => {
    const byDefault = selected(randomK({k: 6}), SIXTEEN);
    expect(byDefault).toEqual(selected(randomK({k: 6}), SIXTEEN));
    expect(byDefault).toEqual(selected(randomK({k: 6, seed: 0}), SIXTEEN, {step: 0}));
  });

  it('asks for no random number but those of its seed', () => {
    const random = vi.spyOn(Math, 'random');
    drawn(0, 0);
    drawn(9, 3);
    expect(random).not.toHaveBeenCalled();
    random.mockRestore();
  });

  it('draws every row equally often', () => {
    // A row is in a draw of 6 from 16 with p = 6/16. Its count in 4000 draws has the standard error
    // √(4000 · p · (1 − p)) = 30.6 about 1500. That one of 16 rows is off by 5 of them happens by
    // accident once in 100 000 runs; the seed is fixed.
    const counts = Array(16).fill(0);
    const select = randomK({k: 6, seed: 2024});
    const losses = tf.tensor1d(SIXTEEN);
    for (let step = 0; step < 4000; step++) {
      const rows = tf.tidy(() => select(losses, {step}).indices.dataSync());
      for (const row of rows) counts[row]++;
    }
    const standardError = Math.sqrt(4000 * (6 / 16) * (10 / 16));
    for (const count of counts) expect(Math.abs(count - 1500)).toBeLessThan(5 * standardError);
    // Not more even than chance, either: Σ z² · 15/16 (the total is fixed) has χ² with 15 degrees
    // of freedom, which is under 3 or over 44 about once in 2000 runs.
    const chiSquared = (15 / 16) * counts.reduce((sum, count) => sum + ((count - 1500) / standardError) ** 2, 0);
    expect(chiSquared).toBeGreaterThan(3);
    expect(chiSquared).toBeLessThan(44);
  });

  it('does not draw by the loss', () => {
    const opposite = SIXTEEN.map((loss) => 1 - loss);
    const {indices} = selected(randomK({k: 6, seed: 4}), opposite, {step: 2});
    expect(sorted(indices)).toEqual(sorted(drawn(4, 2)));
  });

  it('gives the drawn rows hardest first', () => {
    for (let step = 0; step < 20; step++) {
      const losses = drawn(5, step).map((row) => SIXTEEN[row] as number);
      expect(losses).toEqual([...losses].sort((a, b) => b - a));
    }
  });

  it('does not draw rows that are not finite or not valid', () => {
    const losses = SIXTEEN.map((loss, row) => (row === 3 ? Number.NaN : row === 4 ? Number.POSITIVE_INFINITY : loss));
    const valid = marks(losses.map((_, row) => (row < 10 ? 1 : 0)));
    for (let step = 0; step < 30; step++) {
      const {indices, weights} = selected(randomK({k: 6, seed: 6}), losses, {step, valid});
      expect(weights).toEqual(Array(6).fill(1));
      expect(indices.every((row) => row < 10 && row !== 3 && row !== 4)).toBe(true);
    }
  });

  it('gives weight 0 to the places for which there are too few rows, at the end', () => {
    const valid = marks(SIXTEEN.map((_, row) => (row < 4 ? 1 : 0)));
    const {indices, weights} = selected(randomK({k: 6}), SIXTEEN, {valid});
    expect(sorted(indices.slice(0, 4))).toEqual([0, 1, 2, 3]);
    expect(weights).toEqual([1, 1, 1, 1, 0, 0]);
    expect(selected(randomK({ratio: 0.5}), SIXTEEN, {valid}).weights).toEqual([1, 1, 0, 0, 0, 0, 0, 0]);
  });

  it('gives weight 0 throughout where no row may be drawn', () => {
    expect(selected(randomK({k: 2}), [1, 2, 3], {valid: marks([0, 0, 0])}).weights).toEqual([0, 0]);
    expect(selected(randomK({k: 2}), [Number.NaN, Number.NaN, Number.NaN]).weights).toEqual([0, 0]);
  });

  it('draws everything, hardest first, when k exceeds the batch, and the row of a batch of one', () => {
    expect(selected(randomK({k: 9}), [0.1, 0.9, 0.3])).toEqual({indices: [1, 2, 0], weights: [1, 1, 1]});
    expect(selected(randomK({ratio: 0.1}), [0.1])).toEqual({indices: [0], weights: [1]});
  });

  it('takes an option that is undefined as one that is not there', () => {
    expect(keptRows(selected(randomK({k: undefined, ratio: 0.5} as never), [1, 2, 3, 4]))).toHaveLength(2);
  });

  it('draws as many rows as topK keeps, all of them usable, none twice', () => {
    const property = fc.property(lossRows, keeps, fc.integer(), fc.nat(1000), (losses, keep, seed, step) => {
      const random = randomFrom(seed);
      const valid = losses.map(() => (random() < 0.7 ? 1 : 0));
      const selection = tf.tidy(() => selected(randomK({...keep, seed}), losses, {step, valid: marks(valid)}));
      const usable = losses.flatMap((loss, row) => (Number.isFinite(loss) && valid[row] ? [row] : []));
      const validRows = valid.filter(Boolean).length;
      const kept = keptRows(selection);
      expect(kept).toHaveLength(Math.min('k' in keep ? keep.k : shareOf(keep, validRows), usable.length));
      expect(kept.every((row) => usable.includes(row))).toBe(true);
      expect(new Set(selection.indices).size).toBe(selection.indices.length);
      const keptLosses = kept.map((row) => losses[row] as number);
      expect(keptLosses).toEqual([...keptLosses].sort((a, b) => b - a));
    });
    fc.assert(property, RUNS);
  });

  it('draws the same rows on every backend', async () => {
    const before = tf.getBackend();
    const draws = () => Array.from({length: 20}, (_, step) => drawn(7, step));
    const [onCpu, ...others] = await onEachBackend(draws);
    for (const other of others) expect(other).toEqual(onCpu);
    await tf.setBackend(before);
  });

  it('refuses wrong options when it is built, not when it runs', () => {
    expect(() => randomK({k: 0})).toThrow(new RangeError('randomK: k must be an integer >= 1, got 0.'));
    expect(() => randomK({ratio: 0})).toThrow(new RangeError('randomK: ratio must be in (0, 1], got 0.'));
    expect(() => randomK({seed: 3} as never)).toThrow(
      new TypeError('randomK: options must have either k or ratio, got {}. Pass {k: 32} or {ratio: 0.75}.'),
    );
    expect(() => (randomK as unknown as () => void)()).toThrow(
      new TypeError('randomK: options must have either k or ratio, got {}. Pass {k: 32} or {ratio: 0.75}.'),
    );
  });

  it('refuses losses that are not one number a row', () => {
    expect(() => randomK({k: 1})(tf.ones([2, 3]) as never)).toThrow(
      new TypeError(
        'randomK: losses must have shape [B] with B >= 1, got [2, 3]. Reduce over every axis but the first.',
      ),
    );
  });
});
