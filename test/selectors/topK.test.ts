import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {topK} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RUNS, randomFrom} from '../support/property';
import {keeps, keptRows, largestRows, lossRows, marks, selected, shareOf} from '../support/selections';
import {onEachBackend} from '../support/tensors';

/** Among them those whose halves float32 gets wrong, and ratios that no float holds exactly. */
const RATIOS = [
  0.01,
  0.05,
  0.1,
  0.145,
  0.15,
  0.25,
  0.29,
  0.3,
  1 / 3,
  0.35,
  0.45,
  0.5,
  0.55,
  0.6,
  0.65,
  2 / 3,
  0.7,
  0.75,
  0.85,
  0.9,
  0.95,
  0.99,
  1,
];

describeOnBackends('topK', () => {
  it('keeps the k largest losses, hardest first', () => {
    expect(selected(topK({k: 2}), [0.1, 0.9, 0.3, 0.7])).toEqual({indices: [1, 3], weights: [1, 1]});
  });

  it('gives int32 rows and float32 weights, also as typed arrays', () => {
    const {indices, weights} = topK({k: 2})(tf.tensor1d([1, 2, 3]));
    expect([indices.dtype, indices.shape, weights.dtype, weights.shape]).toEqual(['int32', [2], 'float32', [2]]);
    expect(indices.dataSync()).toBeInstanceOf(Int32Array);
    expect(weights.dataSync()).toBeInstanceOf(Float32Array);
  });

  it('keeps the lower index of equal losses', () => {
    expect(selected(topK({k: 2}), [1, 1, 1, 1]).indices).toEqual([0, 1]);
    expect(selected(topK({k: 4}), [0.5, 2, 0.5, 2, 0.5]).indices).toEqual([1, 3, 0, 2]);
    const tied = Array(200).fill(0.5);
    expect(selected(topK({k: 150}), tied).indices).toEqual(Array.from({length: 150}, (_, row) => row));
  });

  it('keeps everything, hardest first, when k exceeds the batch', () => {
    expect(selected(topK({k: 100}), [0.1, 0.9, 0.3])).toEqual({indices: [1, 2, 0], weights: [1, 1, 1]});
  });

  it('keeps the row of a batch of one', () => {
    for (const keep of [{k: 1}, {k: 5}, {ratio: 0.01}, {ratio: 1}]) {
      expect(selected(topK(keep), [0.3])).toEqual({indices: [0], weights: [1]});
    }
  });

  it('keeps a share of the batch it is given, rounded half up and never none', () => {
    expect(selected(topK({ratio: 0.5}), [1, 2, 3, 4, 5]).indices).toEqual([4, 3, 2]); // round(2.5) = 3
    expect(selected(topK({ratio: 0.7}), [1, 2, 3, 4, 5]).indices).toEqual([4, 3, 2, 1]); // round(3.5) = 4
    expect(selected(topK({ratio: 0.1}), [1, 2, 3]).indices).toEqual([2]); // max(1, round(0.3))
  });

  it('keeps at least minK rows, as far as there are any', () => {
    expect(selected(topK({ratio: 0.1, minK: 2}), [1, 2, 3]).indices).toEqual([2, 1]);
    expect(selected(topK({ratio: 0.1, minK: 20}), [1, 2, 3]).indices).toEqual([2, 1, 0]);
  });

  it('takes an option that is undefined as one that is not there', () => {
    expect(selected(topK({k: undefined, ratio: 0.5} as never), [1, 2, 3, 4]).indices).toEqual([3, 2]);
    const valid = marks([1, 1, 0, 0]);
    expect(keptRows(selected(topK({k: undefined, ratio: 0.5} as never), [1, 2, 3, 4], {valid}))).toEqual([1]);
  });

  it('keeps max(minK, round(ratio · B)) rows of every batch up to 200 whose rows are all valid', () => {
    for (const ratio of RATIOS) {
      const select = topK({ratio});
      for (let batchSize = 1; batchSize <= 200; batchSize++) {
        const [kept, places] = tf.tidy(() => {
          const {weights} = select(tf.ones([batchSize]), {valid: tf.ones([batchSize])});
          return [tf.sum(tf.cast(weights, 'float32')).dataSync()[0], weights.size];
        });
        const expected = shareOf({ratio}, batchSize);
        expect({ratio, batchSize, kept, places}).toEqual({ratio, batchSize, kept: expected, places: expected});
      }
    }
  });

  it.each(RATIOS)('keeps round(ratio · valid rows) for ratio %d, whatever number of 200 rows is valid', (ratio) => {
    const select = topK({ratio});
    for (let validRows = 1; validRows <= 200; validRows++) {
      const kept = tf.tidy(() => {
        const valid = tf.cast(tf.less(tf.range(0, 200), validRows), 'float32') as tf.Tensor1D;
        return tf.sum(tf.cast(select(tf.ones([200]), {valid}).weights, 'float32')).dataSync()[0];
      });
      expect({ratio, validRows, kept}).toEqual({ratio, validRows, kept: shareOf({ratio}, validRows)});
    }
  });

  it('never selects rows that are not valid', () => {
    const valid = marks([1, 0, 1, 0]);
    expect(selected(topK({k: 2}), [1, 9, 3, 8], {valid})).toEqual({indices: [2, 0], weights: [1, 1]});
  });

  it.each(['float32', 'int32', 'bool'] as const)('takes a valid of %s', (dtype) => {
    const valid = marks([1, 0, 1, 0], dtype);
    expect(keptRows(selected(topK({k: 4}), [1, 9, 3, 8], {valid}))).toEqual([2, 0]);
    expect(keptRows(selected(topK({ratio: 0.5}), [1, 9, 3, 8], {valid}))).toEqual([2]);
  });

  it('gives weight 0 to the places of k for which there are too few valid rows', () => {
    const {indices, weights} = selected(topK({k: 3}), [1, 9, 3, 8], {valid: marks([1, 0, 0, 0])});
    expect(indices[0]).toBe(0);
    expect(weights).toEqual([1, 0, 0]);
  });

  it('gives weight 0 to the places over round(ratio · valid rows)', () => {
    const valid = marks([1, 1, 1, 0, 0, 0]);
    const {indices, weights} = selected(topK({ratio: 0.5}), [1, 3, 2, 9, 9, 9], {valid});
    expect(indices.slice(0, 2)).toEqual([1, 2]); // round(1.5) = 2 of the three; sized for 3 of six
    expect(weights).toEqual([1, 1, 0]);
    const atLeast = selected(topK({ratio: 0.1, minK: 3}), [1, 3, 2, 9, 9, 9], {valid});
    expect(atLeast).toEqual({indices: [1, 2, 0], weights: [1, 1, 1]});
  });

  it('never selects a loss that is not finite', () => {
    const losses = [1, Number.NaN, Number.POSITIVE_INFINITY, 2, Number.NEGATIVE_INFINITY];
    const {indices, weights} = selected(topK({k: 5}), losses);
    expect(indices.slice(0, 2)).toEqual([3, 0]);
    expect(weights).toEqual([1, 1, 0, 0, 0]);
  });

  it('selects very negative and very large finite losses', () => {
    expect(keptRows(selected(topK({k: 3}), [-3e38, 3e38, 0]))).toEqual([1, 2, 0]);
  });

  it('gives weight 0 throughout where no row may be selected', () => {
    const nothing = [0, 0, 0];
    expect(selected(topK({k: 2}), [1, 2, 3], {valid: marks(nothing)}).weights).toEqual([0, 0]);
    expect(selected(topK({ratio: 0.5}), [1, 2, 3], {valid: marks(nothing)}).weights).toEqual([0, 0]);
    expect(selected(topK({k: 3}), [Number.NaN, Number.NaN, Number.POSITIVE_INFINITY]).weights).toEqual(nothing);
  });

  it('keeps what a stable sort in plain JavaScript keeps, with ties, non-finite losses and invalid rows', () => {
    const property = fc.property(lossRows, keeps, fc.option(fc.integer()), (losses, keep, seed) => {
      const random = randomFrom(seed ?? 0);
      const valid = seed === null ? undefined : losses.map(() => (random() < 0.7 ? 1 : 0));
      const selection = tf.tidy(() => selected(topK(keep), losses, valid ? {valid: marks(valid)} : {}));
      const expected = largestRows(losses, keep, valid);
      expect(keptRows(selection)).toEqual(expected);
      const places = Math.min('k' in keep ? keep.k : shareOf(keep, losses.length), losses.length);
      expect(selection.weights).toEqual(Array.from({length: places}, (_, at) => (at < expected.length ? 1 : 0)));
      expect(new Set(selection.indices).size).toBe(places);
      expect(selection.indices.every((row) => row >= 0 && row < losses.length)).toBe(true);
    });
    fc.assert(property, {...RUNS, numRuns: 400});
  });

  it('gives the same selection on every backend', async () => {
    const before = tf.getBackend();
    const random = randomFrom(11);
    const losses = Array.from({length: 300}, () => Math.floor(random() * 40) / 8);
    const [onCpu, ...others] = await onEachBackend(() => selected(topK({ratio: 0.4}), losses));
    for (const other of others) expect(other).toEqual(onCpu);
    await tf.setBackend(before);
  });

  it('refuses wrong options when it is built, not when it runs', () => {
    expect(() => topK({k: 0})).toThrow(new RangeError('topK: k must be an integer >= 1, got 0.'));
    expect(() => topK({ratio: 1.5})).toThrow(new RangeError('topK: ratio must be in (0, 1], got 1.5.'));
    expect(() => topK({ratio: 0.5, minK: 0.5})).toThrow(new RangeError('topK: minK must be an integer >= 1, got 0.5.'));
    expect(() => topK({} as never)).toThrow(
      new TypeError('topK: options must have either k or ratio, got {}. Pass {k: 32} or {ratio: 0.75}.'),
    );
  });

  it('refuses losses that are not one number a row, and a valid that is not', () => {
    expect(() => topK({k: 1})(tf.ones([2, 3]) as never)).toThrow(
      new TypeError('topK: losses must have shape [B] with B >= 1, got [2, 3]. Reduce over every axis but the first.'),
    );
    expect(() => topK({k: 1})(tf.tensor1d([1, 2]), {valid: tf.tensor1d([1])})).toThrow(
      new TypeError('topK: valid must have shape [2], one value for each row, got [1].'),
    );
  });
});
