/**
 * @file The chances of `distanceWeighted` against PyTorch Metric Learning: 26 cases; and its draws.
 */
import * as tf from '@tensorflow/tfjs-core';
import {distanceWeighted, type Triplets} from 'ohem-tfjs/pairs';
import {describe, expect, it} from 'vitest';
import {spaceOf} from '../../src/pairs/distances';
import {chances} from '../../src/pairs/distanceWeighted';
import {pairBatch} from '../../src/pairs/pairBatch';
import oracle from '../fixtures/pml_distance_weighted.json';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {embeddingsOf, labelsOf, listTriplets, numbersOf, type OracleBatch} from '../support/pairOracles';

type Case = (typeof oracle.cases)[number];
const batchOf = ({batch}: Case) => oracle.batches[batch] as OracleBatch;

describe('The cases of distanceWeighted', () => {
  it('are all there', () => expect(oracle.cases).toHaveLength(oracle.n_cases));
});

describeOnBackends('distanceWeighted', () => {
  const probabilities = (one: Case) => {
    const batch = batchOf(one);
    const rows = {embeddings: embeddingsOf(batch) as tf.Tensor2D, labels: tf.tensor1d(batch.labels)};
    const {cutoff, nonzero_loss_cutoff} = one.params;
    const weights = chances(pairBatch('test', spaceOf('test', {}, 'euclidean'), rows), cutoff, nonzero_loss_cutoff);
    return tf.unstack(weights).map((row) => {
      const values = Array.from(row.dataSync());
      const total = values.reduce((sum, value) => sum + value, 0);
      return values.map((value) => (total > 0 ? value / total : 0));
    });
  };

  it.each(oracle.cases.map((one) => [one.name, one] as const))('has the chances of the peer: %s', (_, one) => {
    const {B} = batchOf(one);
    const theirs = numbersOf(one.probabilities);
    probabilities(one).forEach((row, a) => {
      const expected = theirs.slice(a * B, (a + 1) * B);
      // NaN: no negative to draw. In 192 dimensions it is also the largest of other rows that makes
      // them NaN.
      if (expected.some(Number.isNaN)) {
        if (!one.name.includes('high-dimension')) expect(row.every((value) => value === 0)).toBe(true);
        else expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
        return;
      }
      expectClose(row, expected, {absolute: 2e-5, relative: 2e-3});
    });
  });

  it('draws by these chances, and anew for each step', () => {
    const one = oracle.cases.find(({name}) => name.includes('random-5')) as Case;
    const batch = batchOf(one);
    const {cutoff, nonzero_loss_cutoff: nonzero} = one.params;
    const expected = probabilities(one);
    const [embeddings, labels] = [embeddingsOf(batch), labelsOf(batch)];
    const mine = distanceWeighted({cutoff, nonzero, seed: 3});
    const counts = expected.map((row) => row.map(() => 0));
    const draws = expected.map(() => 0);
    for (let step = 0; step < 400; step++) {
      for (const [a, , n] of listTriplets(tf.tidy(() => mine(embeddings, labels, {step}) as Triplets))) {
        (counts[a] as number[])[n] = (counts[a]?.[n] ?? 0) + 1;
        draws[a] = (draws[a] as number) + 1;
      }
    }
    expected.forEach((row, a) => {
      const size = draws[a] as number;
      row.forEach((chance, n) => {
        const share = (counts[a]?.[n] as number) / Math.max(size, 1);
        if (size > 0)
          expect(Math.abs(share - chance)).toBeLessThan(4 * Math.sqrt((chance * (1 - chance) + 1e-3) / size));
      });
    });
    expect(Math.max(...draws)).toBeGreaterThan(400);
    const again = (step: number) => listTriplets(mine(embeddings, labels, {step}));
    expect(again(7)).toEqual(again(7));
  });
});
