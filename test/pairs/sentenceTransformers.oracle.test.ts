/** @file `tripletLoss` with its miners against sentence-transformers: 64 cases. */
import * as tf from '@tensorflow/tfjs-core';
import {batchHard, semiHard, tripletLoss, tripletMargin} from 'ohem-tfjs/pairs';
import {describe, expect, it} from 'vitest';
import oracle from '../fixtures/st_triplet_losses.json';
import {describeOnBackends} from '../support/backends';
import {expectClose, expectSameDirection} from '../support/close';
import {
  DISTANCES,
  embeddingsOf,
  labelsOf,
  listTriplets,
  numbersOf,
  type OracleBatch,
  plainDistances,
  rowsOfBatch,
} from '../support/pairOracles';

interface Case {
  name: string;
  batch: number;
  loss: string;
  metric: string;
  params: {margin?: number};
  value: number | string;
  grad: (number | string)[];
  tie?: number;
  per_anchor?: number[];
  anchor?: number[];
  positive?: number[];
  negative_distance?: number[];
  per_pair?: number[];
  n_positive_triplets?: number;
}

const cases = oracle.cases as unknown as Case[];
const batchOf = ({batch}: Case) => oracle.batches[batch] as OracleBatch;
const named = (loss: string, hasTies = false) =>
  cases.filter((one) => one.loss === loss && (hasTies || !one.tie)).map((one) => [one.name, one] as const);
const AS_PEER = {absolute: 1e-4, relative: 5e-4};

/** Rows that have both a positive and a negative. */
function complete({labels}: OracleBatch): boolean[] {
  return labels.map(
    (label, a) => labels.some((other, b) => b !== a && other === label) && labels.some((other) => other !== label),
  );
}

/** The peer's cosine distance is 1 − cos: the same differences. */
const optionsOf = ({metric}: Case) => DISTANCES[metric] as (typeof DISTANCES)[string];

describe('The cases of sentence-transformers', () => {
  it('are all there', () => expect(cases).toHaveLength(oracle.n_cases));
});

describeOnBackends('tripletLoss', () => {
  const gradientOf = (loss: ReturnType<typeof tripletLoss>, batch: OracleBatch, weights: readonly number[]) =>
    Array.from(
      tf
        .grad((x) => tf.sum(tf.mul(loss(labelsOf(batch), x), tf.tensor1d([...weights]))))(embeddingsOf(batch))
        .dataSync(),
    );
  const lossesOf = (loss: ReturnType<typeof tripletLoss>, batch: OracleBatch) =>
    Array.from(loss(labelsOf(batch), embeddingsOf(batch)).dataSync());

  it.each([...named('BatchHardTripletLoss', true), ...named('BatchHardSoftMarginTripletLoss', true)])(
    'is that of the peer for anchors that have a positive and a negative, and 0 for others, which the peer counts: %s',
    (_, one) => {
      const batch = batchOf(one);
      const isComplete = complete(batch);
      const soft = one.loss === 'BatchHardSoftMarginTripletLoss';
      const loss = tripletLoss({...optionsOf(one), mine: batchHard(), margin: one.params.margin ?? 0, soft});
      const losses = lossesOf(loss, batch);
      // log(1 + exp(x)) is Infinity for the peer from 88.7 on: there it is x.
      const theirs = numbersOf(one.per_anchor ?? []);
      losses.forEach((value, a) => {
        if (!isComplete[a]) expect(value).toBe(0);
        else if (Number.isFinite(theirs[a])) expectClose([value], [theirs[a] as number], AS_PEER);
        else expect(value).toBeGreaterThan(88);
      });
      expect(Array.from((loss.valid as (y: tf.Tensor) => tf.Tensor)(labelsOf(batch)).dataSync())).toEqual(
        isComplete.map(Number),
      );
      if (one.tie || !isComplete.every(Boolean)) return;
      expectSameDirection(
        gradientOf(
          loss,
          batch,
          losses.map(() => 1 / batch.B),
        ),
        numbersOf(one.grad),
        2e-3,
        1e-5,
      );
    },
  );

  it.each(named('BatchSemiHardTripletLoss'))('takes the negatives of the peer by semiHard: %s', (_, one) => {
    const batch = batchOf(one);
    const {labels} = batch;
    const mined = listTriplets(semiHard(optionsOf(one))(embeddingsOf(batch), labelsOf(batch)));
    const distances = plainDistances(rowsOfBatch(batch), optionsOf(one));
    const offset = one.metric === 'cosine' ? 1 : 0;
    const theirs = (one.anchor ?? []).map(
      (a, i) => [a, one.positive?.[i] as number, numbersOf(one.negative_distance ?? [])[i] as number] as const,
    );
    // Without a negative the peer takes the row itself.
    const expected = theirs.filter(([a]) => labels.some((label) => label !== labels[a]));
    expect(mined.map(([a, p]) => [a, p])).toEqual(expected.map(([a, p]) => [a, p]));
    const ours = mined.map(([a, , n]) => (distances[a]?.[n] as number) + offset);
    expectClose(
      ours,
      expected.map(([, , distance]) => distance),
      AS_PEER,
    );

    const loss = tripletLoss({...optionsOf(one), mine: semiHard(), margin: one.params.margin ?? 0, perAnchor: 'sum'});
    const perPair = numbersOf(one.per_pair ?? []);
    const sums = labels.map((__, a) =>
      theirs.reduce((sum, [b], i) => (a === b && expected.length > 0 ? sum + (perPair[i] as number) : sum), 0),
    );
    const losses = lossesOf(loss, batch);
    // No positive pair: NaN for the peer, 0 here.
    expect(losses.every(Number.isFinite)).toBe(true);
    expectClose(losses, sums, AS_PEER);
    if (expected.length !== theirs.length || theirs.length === 0) return;
    expectSameDirection(
      gradientOf(
        loss,
        batch,
        labels.map(() => 1 / theirs.length),
      ),
      numbersOf(one.grad),
      3e-3,
      1e-5,
    );
  });

  it.each(named('BatchAllTripletLoss'))('averages the triplets above 0 as the peer does: %s', (_, one) => {
    const batch = batchOf(one);
    const {margin = 5} = one.params;
    const all = tripletMargin({...optionsOf(one), margin, type: 'all'});
    const loss = tripletLoss({...optionsOf(one), mine: all, margin, perAnchor: 'sum'});
    const total = lossesOf(loss, batch).reduce((sum, value) => sum + value, 0);
    const count = Math.max(one.n_positive_triplets ?? 0, 1);
    expectClose([total / count], [Number(one.value)], AS_PEER);
    expectSameDirection(
      gradientOf(
        loss,
        batch,
        batch.labels.map(() => 1 / count),
      ),
      numbersOf(one.grad),
      3e-3,
      1e-5,
    );
  });
});
