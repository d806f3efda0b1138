/**
 * @file Distances in float32 against doubles: rows far from the origin, and rows close to one
 *   another.
 */
import * as tf from '@tensorflow/tfjs-core';
import {batchHard, crossBatchMemory, recallAtK, semiHard, tripletLoss} from 'ohem-tfjs/pairs';
import {expect, it} from 'vitest';
import {distancesBetween, gradientOfDistances, spaceOf, vectorsOf} from '../../src/pairs/distances';
import {describeOnBackends} from '../support/backends';
import {expectClose, expectSameDirection} from '../support/close';

const [ROWS, WIDTH] = [24, 8];
const LABELS = Array.from({length: ROWS}, (_, row) => row % 4);
const labels = () => tf.tensor1d(LABELS, 'int32');
const raw = spaceOf('test', {normalize: false}, 'euclidean');

/** Four clusters around one point. */
function clusters({offset, apart, within}: {offset: number; apart: number; within: number}): tf.Tensor2D {
  return tf.tidy(() => {
    const centers = tf.randomNormal([4, WIDTH], 0, apart, 'float32', 3);
    const noise = tf.randomNormal([ROWS, WIDTH], 0, within, 'float32', 5);
    return tf.add(tf.add(tf.gather(centers, LABELS), noise), offset) as tf.Tensor2D;
  });
}

const difference = (one: number[], other: number[]) => one.map((value, k) => value - (other[k] as number));

function plainDistances(rows: number[][], others = rows): number[][] {
  return rows.map((row) => others.map((other) => Math.hypot(...difference(row, other))));
}

/** The gradient of Σ d. */
function plainGradient(rows: number[][]): number[] {
  return rows.flatMap((row) => {
    const pulls = rows.map((other) => {
      const apart = difference(row, other);
      const length = Math.hypot(...apart);
      return apart.map((value) => (length === 0 ? 0 : (2 * value) / length));
    });
    return row.map((_, k) => pulls.reduce((total, pull) => total + (pull[k] as number), 0));
  });
}

const CASES = {
  'around the origin': {offset: 0, apart: 1, within: 0.2},
  'far from the origin': {offset: 1000, apart: 0.5, within: 0.05},
  'very far from the origin': {offset: -30_000, apart: 8, within: 1},
  'in clusters of close rows': {offset: 0, apart: 1, within: 1e-4},
  'in clusters of close rows, far from the origin': {offset: 100, apart: 10, within: 1e-2},
};

describeOnBackends('Distances', () => {
  it.each(Object.entries(CASES))('and their gradients have the digits of float32 %s', (_, of) => {
    const embeddings = clusters(of);
    const rows = embeddings.arraySync();
    const vectors = vectorsOf(raw, embeddings);
    const distances = distancesBetween(raw, vectors.rows, vectors.rows);
    expectClose(distances, plainDistances(rows).flat(), {absolute: 0, relative: 1e-4});
    const gradient = gradientOfDistances(raw, tf.ones([ROWS, ROWS]), distances, vectors);
    // Rows of one cluster pull one another by sums of large terms.
    expectSameDirection(gradient, plainGradient(rows), 2e-3);
  });

  it.each(Object.entries(CASES))('to the rows of a reference too %s', (_, of) => {
    const [all, rows] = [clusters(of), tf.slice(clusters(of), [4, 0], [9, -1])];
    const distances = distancesBetween(raw, rows, all);
    expectClose(distances, plainDistances(rows.arraySync() as number[][], all.arraySync()).flat(), {
      absolute: 0,
      relative: 1e-4,
    });
    for (let row = 0; row < 9; row++) expect(distances.arraySync()[row]?.[row + 4]).toBe(0);
  });

  it('stay those of the other rows if one row is of zeros, not finite, or far away', () => {
    const rows = clusters(CASES['around the origin']);
    const far = tf.add(rows, 1000);
    const at = (value: number) => tf.tensor2d([Array.from({length: WIDTH}, () => value)]);
    for (const [others, one, relative] of [
      [far, at(0), 1e-4],
      [far, at(Number.NaN), 1e-4],
      [rows, at(1e9), 1e-4],
    ] as const) {
      const {rows: usable} = vectorsOf(raw, tf.concat([others as tf.Tensor2D, one]));
      const got = tf.slice(distancesBetween(raw, usable, usable), [0, 0], [ROWS, ROWS]);
      expectClose(got, plainDistances(others.arraySync() as number[][]).flat(), {absolute: 0, relative});
    }
  });

  it('of directions that have nearly collapsed move the rows as in doubles', () => {
    const unit = clusters({offset: 1, apart: 1e-2, within: 1e-3});
    const rows = unit.arraySync();
    const space = spaceOf('test', {}, 'euclidean');
    const vectors = vectorsOf(space, unit);
    const directions = rows.map((row) => row.map((value) => value / Math.hypot(...row)));
    const distances = distancesBetween(space, vectors.rows, vectors.rows);
    const want = plainDistances(directions);
    // A direction in float32 is off by 6e-8, which is all that is left.
    expectClose(distances, want.flat(), {absolute: 3e-7, relative: 1e-4});
    const loss = tripletLoss({mine: batchHard(), margin: 0.2});
    const losses = loss(labels(), unit).dataSync();
    for (const [a, d] of want.entries()) {
      const hardest = (isSame: boolean) => d.filter((_, j) => j !== a && (LABELS[j] === LABELS[a]) === isSame);
      const expected = Math.max(...hardest(true)) - Math.min(...hardest(false)) + 0.2;
      expect(Math.abs((losses[a] as number) - Math.max(0, expected))).toBeLessThan(1e-6);
    }
  });

  it('rank neighbours far from the origin as at the origin', () => {
    const rows = tf.round(tf.mul(clusters({offset: 0, apart: 1, within: 1}), 64));
    const far = tf.add(rows, 2 ** 16);
    const options = {k: 1, normalize: false};
    const near = recallAtK(options)(labels(), rows).dataSync()[0];
    expect(near).toBeLessThan(1);
    expect(recallAtK(options)(labels(), far).dataSync()[0]).toBe(near);
    const reference = {embeddings: far, labels: labels()};
    expect(recallAtK({...options, reference})(labels(), far).dataSync()[0]).toBe(1);
  });

  it('give losses far from the origin the values and gradients that they have at the origin', () => {
    const rows = tf.round(tf.mul(clusters({offset: 0, apart: 1, within: 0.5}), 64));
    const far = tf.add(rows, 2 ** 16);
    for (const mine of [batchHard(), semiHard()]) {
      for (const hasMemory of [false, true]) {
        const [near, moved] = [rows, far].map((at) => {
          const memory = crossBatchMemory({size: ROWS});
          memory.add(tf.reverse(at, 0), labels());
          const loss = tripletLoss({mine, margin: 20, normalize: false, ...(hasMemory && {memory})});
          return tf.valueAndGrad((x) => tf.sum(loss(labels(), x)))(at);
        });
        expectClose(moved?.value as tf.Tensor, near?.value as tf.Tensor, {absolute: 0, relative: 1e-5});
        expectSameDirection(moved?.grad as tf.Tensor, near?.grad as tf.Tensor, 1e-4);
      }
    }
  });
});
