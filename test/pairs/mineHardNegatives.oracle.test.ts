/** @file `mineHardNegatives` against sentence-transformers: 22 cases. */
import * as tf from '@tensorflow/tfjs-core';
import {type MineHardNegativesOptions, mineHardNegatives} from 'ohem-tfjs/pairs';
import {describe, expect, it} from 'vitest';
import oracle from '../fixtures/st_mine_hard_negatives.json';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {plainDistances} from '../support/pairOracles';

interface Case {
  name: string;
  params: Record<string, number>;
  n_queries: number;
  n_documents: number;
  D: number;
  queries: number[];
  documents: number[];
  positives: number[][];
  negatives_of_query_in_order: number[][];
  range_max: number;
  dropped: Record<string, number>;
  reference_score_right?: number[];
  peer_reference_wrong?: number;
}

const cases = oracle.cases as unknown as Case[];

const optionsOf = ({
  params,
  queries,
  documents,
  D,
  n_queries,
  n_documents,
  positives,
}: Case): MineHardNegativesOptions => {
  const names = {
    num_negatives: 'count',
    range_min: 'rangeMin',
    range_max: 'rangeMax',
    absolute_margin: 'absoluteMargin',
    relative_margin: 'relativeMargin',
    max_score: 'maxScore',
    min_score: 'minScore',
  } as Record<string, string>;
  return {
    queries: tf.tensor2d(queries, [n_queries, D]),
    documents: tf.tensor2d(documents, [n_documents, D]),
    positives,
    ...Object.fromEntries(Object.entries(params).map(([name, value]) => [names[name], value])),
  };
};

/** The same rules over plain numbers, with the right reference. */
function plain(one: Case): number[][] {
  const rows = (values: number[]) =>
    Array.from({length: values.length / one.D}, (_, i) => values.slice(i * one.D, (i + 1) * one.D));
  const {
    num_negatives: count = 3,
    range_min: skip = 0,
    absolute_margin,
    relative_margin,
    max_score,
    min_score,
  } = one.params;
  return plainDistances(rows(one.queries), {distance: 'cosine'}, rows(one.documents)).map((distances, query) => {
    const scores = distances.map((distance) => -distance);
    const own = one.positives[query] as number[];
    const reference = Math.min(...own.map((row) => scores[row] as number));
    const isRight = (score: number) =>
      (absolute_margin === undefined || score + absolute_margin <= reference) &&
      (relative_margin === undefined || score <= reference * (1 - relative_margin)) &&
      (max_score === undefined || score <= max_score) &&
      (min_score === undefined || score >= min_score);
    const order = scores.map((_, row) => row).sort((a, b) => (scores[b] as number) - (scores[a] as number));
    const near = order.filter((row) => !own.includes(row)).slice(0, one.range_max);
    return near.filter((row) => isRight(scores[row] as number)).slice(skip, skip + count);
  });
}

describe('The cases of mineHardNegatives', () => {
  it('are all there', () => expect(cases).toHaveLength(oracle.n_cases));
});

describeOnBackends('mineHardNegatives', () => {
  it.each(cases.map((one) => [one.name, one] as const))(
    'takes what the peer takes, by the right reference: %s',
    async (_, one) => {
      const {negatives, scores, dropped, short} = await mineHardNegatives({...optionsOf(one), batchSize: 2});
      const got = negatives.map((rows) => Array.from(rows));
      expect(got).toEqual(plain(one));
      // With unequal numbers of positives, the peer measures later queries by the scores of others.
      if (!one.peer_reference_wrong) expect(got).toEqual(one.negatives_of_query_in_order);
      const {num_negatives: count = 3} = one.params;
      expect(short).toBe(got.filter(({length}) => length < count).length);
      for (const row of scores) expect([...row].sort((a, b) => b - a)).toEqual([...row]);
      if (one.peer_reference_wrong || Object.keys(one.dropped).length !== 1) return;
      // The peer applies its rules to a few more candidates, and cuts afterwards: where a positive
      // is not among the nearest.
      const more = one.n_queries * Math.max(...one.positives.map(({length}) => length));
      for (const [rule, ours] of [
        ['relative_margin', dropped.relativeMargin],
        ['absolute_margin', dropped.absoluteMargin],
      ] as const) {
        const theirs = one.dropped[rule];
        if (theirs === undefined) continue;
        expect(ours).toBeLessThanOrEqual(theirs);
        expect(ours).toBeGreaterThanOrEqual(theirs - more);
      }
    },
  );

  it('differs from the peer where that takes the reference of another query', async () => {
    const wrong = cases.filter(({peer_reference_wrong}) => peer_reference_wrong);
    const mined = await Promise.all(wrong.map((one) => mineHardNegatives(optionsOf(one))));
    const differing = mined.filter(({negatives}, i) => {
      const theirs = (wrong[i] as Case).negatives_of_query_in_order;
      return JSON.stringify(negatives.map((rows) => Array.from(rows))) !== JSON.stringify(theirs);
    });
    expect(differing.length).toBeGreaterThan(2);
  });

  const small = (): MineHardNegativesOptions => ({
    queries: tf.tensor2d([
      [1, 0],
      [0, 1],
    ]),
    documents: tf.tensor2d([
      [1, 0.1],
      [0.1, 1],
      [1, 0.5],
      [0.5, 1],
      [Number.NaN, 1],
      [-1, 0],
    ]),
    positives: [[0, 0], 1],
  });

  it('takes all that there are of a small corpus, but none that is not finite, nor a positive that is named twice', async () => {
    const {negatives, short} = await mineHardNegatives({...small(), count: 10, rangeMax: 100});
    expect(negatives.map((rows) => Array.from(rows))).toEqual([
      [2, 3, 1, 5],
      [3, 2, 0, 5],
    ]);
    expect(short).toBe(2);
  });

  it('takes nothing for a query that is not finite', async () => {
    const queries = tf.tensor2d([
      [1, 0],
      [Number.NaN, 1],
    ]);
    const {negatives} = await mineHardNegatives({...small(), queries});
    expect(negatives.map(({length}) => length)).toEqual([3, 0]);
  });

  it('tightens the limit where the score of the positive is negative, which the peer loosens', async () => {
    const {negatives, dropped} = await mineHardNegatives({
      queries: tf.tensor2d([[1, 0]]),
      documents: tf.tensor2d([
        [-1, 1],
        [-1, 0.9],
        [-1, 0.1],
      ]),
      positives: [0],
      relativeMargin: 0.1,
    });
    expect(negatives.map((rows) => Array.from(rows))).toEqual([[2]]);
    expect(dropped.relativeMargin).toBe(1);
  });

  it('draws the same ones for the same seed', async () => {
    const options = {...optionsOf(cases[0] as Case), rangeMax: 30, sampling: 'random', count: 5} as const;
    const rows = async (seed: number) =>
      (await mineHardNegatives({...options, seed})).negatives.map((list) => Array.from(list));
    const [one, again, other] = [await rows(1), await rows(1), await rows(2)];
    expect(one).toEqual(again);
    expect(one).not.toEqual(other);
    for (const list of one) expect(new Set(list).size).toBe(5);
  });

  it('compares by dot products if asked, and disposes all but what it was given', async () => {
    const options = small();
    const before = tf.memory().numTensors;
    const {scores} = await mineHardNegatives({...options, similarity: 'dot', count: 1});
    expectClose(scores[0] as Float32Array, [1], {absolute: 1e-6, relative: 0});
    expect(tf.memory().numTensors).toBe(before);
  });
});
