/** @file Distances and their gradients against PyTorch Metric Learning: 84 cases. */
import * as tf from '@tensorflow/tfjs-core';
import {describe, expect, it} from 'vitest';
import {distancesBetween, gradientOfDistances, spaceOf, vectorsOf} from '../../src/pairs/distances';
import oracle from '../fixtures/pml_distances.json';
import {describeOnBackends} from '../support/backends';
import {expectClose, expectSameDirection} from '../support/close';
import {DISTANCES, embeddingsOf, numbersOf, type OracleBatch, rowsOfBatch} from '../support/pairOracles';

type Case = (typeof oracle.cases)[number];

const batchOf = ({batch}: Case) => oracle.batches[batch] as OracleBatch;
const isZeroRow = (row: number[]) => row.every((value) => value === 0);

/**
 * A zero row has no direction. The peer gives it a gradient of 1e11 and more, and its distances
 * too.
 */
const hasZeroRows = (one: Case) =>
  rowsOfBatch(batchOf(one)).some(isZeroRow) &&
  DISTANCES[one.distance]?.normalize !== false &&
  one.distance !== 'dot_raw';

describe('The cases of the distances', () => {
  it('are all there', () => expect(oracle.cases).toHaveLength(oracle.n_cases));
});

describeOnBackends('The distances', () => {
  it.each(oracle.cases.map((one) => [one.name, one] as const))(
    'and their gradients are those of the peer: %s',
    (_, one) => {
      const batch = batchOf(one);
      const space = spaceOf('test', DISTANCES[one.distance] ?? {}, 'euclidean');
      const anchors = vectorsOf(space, embeddingsOf(batch) as tf.Tensor2D);
      const distances = distancesBetween(space, anchors.rows, anchors.rows);
      const sign = space.isSimilarity ? -1 : 1;
      const scale = Math.max(...numbersOf(one.matrix).map(Math.abs), 1);
      // From 26 rows on the peer's distances of equal rows are up to 0.004, where ours are 0.
      const isRounded = 'equal_row_distances' in one;
      const got = Array.from(distances.dataSync(), (value) => sign * value);
      expectClose(
        got.filter((__, i) => i % (batch.B + 1) !== 0 || space.isSimilarity),
        numbersOf(one.matrix).filter((__, i) => i % (batch.B + 1) !== 0 || space.isSimilarity),
        {absolute: isRounded ? 2e-3 : 2e-5 * scale, relative: 3e-4},
      );
      if (!space.isSimilarity) for (let i = 0; i < batch.B; i++) expect(got[i * (batch.B + 1)]).toBe(0);
      if (!one.weight) return;
      const slopes = tf.tensor2d(
        one.weight.map((weight) => sign * weight),
        [batch.B, batch.B],
      );
      const gradient = gradientOfDistances(space, slopes, distances, anchors).dataSync();
      const rows = rowsOfBatch(batch);
      const isCompared = (i: number) => !(hasZeroRows(one) && isZeroRow(rows[Math.floor(i / batch.D)] as number[]));
      expect(Array.from(gradient).every(Number.isFinite)).toBe(true);
      const [ours, theirs] = [Array.from(gradient), numbersOf(one.grad_weighted_sum)].map((all) =>
        all.filter((__, i) => isCompared(i)),
      );
      expectSameDirection(ours as number[], theirs as number[], 2e-3, 1e-5);
    },
  );

  it('of equal rows are exactly 0, and nothing moves them', () => {
    const rows = tf.tensor2d(
      Array.from({length: 40}, (_, i) => Array.from({length: 37}, (__, d) => Math.sin((i % 5) * 37 + d))),
    );
    for (const normalize of [true, false]) {
      const space = spaceOf('test', {normalize}, 'euclidean');
      const vectors = vectorsOf(space, rows as tf.Tensor2D);
      const distances = distancesBetween(space, vectors.rows, vectors.rows);
      const values = distances.arraySync();
      for (let i = 0; i < 40; i++) for (let j = i % 5; j < 40; j += 5) expect(values[i]?.[j]).toBe(0);
    }
  });

  it('do not move a row of zeros, which has no direction', () => {
    const space = spaceOf('test', {}, 'euclidean');
    const vectors = vectorsOf(
      space,
      tf.tensor2d([
        [0, 0],
        [3, 4],
      ]),
    );
    const distances = distancesBetween(space, vectors.rows, vectors.rows);
    expectClose(distances, [0, 1, 1, 0], {absolute: 1e-6, relative: 0});
    const gradient = gradientOfDistances(space, tf.ones([2, 2]), distances, vectors).dataSync();
    expect(Array.from(gradient.subarray(0, 2), Math.abs)).toEqual([0, 0]);
  });

  it.each([1e-30, 1e-15, 1e-6, 1e6, 1e18, 1e30])('of normalised rows do not depend on the scale %d', (scale) => {
    const space = spaceOf('test', {distance: 'cosine'}, 'euclidean');
    const {rows, rates} = vectorsOf(
      space,
      tf.tensor2d([
        [3 * scale, 4 * scale],
        [scale, 0],
      ]),
    );
    expectClose(
      rows,
      scale < 1e-12 ? [3 * scale, 4 * scale, scale, 0].map((value) => value * 1e12) : [0.6, 0.8, 1, 0],
      {absolute: 1e-6, relative: 1e-5},
    );
    expectClose(rates, scale < 1e-12 ? [0, 0] : [0.2 / scale, 1 / scale], {absolute: 0, relative: 1e-5});
  });
});
