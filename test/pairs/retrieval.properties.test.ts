/**
 * @file The losses of two towers and the mining of negatives against plain rules over random
 *   batches, and their gradients against finite differences.
 */
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {hardContrastive, inBatchSoftmax, mineHardNegatives, type TowerLoss} from 'ohem-tfjs/pairs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {holds, tidied} from '../support/plainBatches';
import {RUNS} from '../support/property';
import {hardContrastiveLosses, minedByRules, type Rules, softmaxLosses, type Towers} from '../support/retrievalRules';

const CLOSE = {absolute: 2e-4, relative: 1e-3};

const numbers = fc.integer({min: -3, max: 3});
const matrix = (rows: number, width: number) =>
  fc.array(fc.array(numbers, {minLength: width, maxLength: width}), {minLength: rows, maxLength: rows});
const mayBe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, {nil: undefined});
const without = <T extends object>(given: T) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

/** 2 to 32 queries, with as many documents or twice as many, equal ones among them. */
const towers: fc.Arbitrary<Towers> = fc
  .record({size: fc.integer({min: 2, max: 32}), width: fc.integer({min: 2, max: 4}), times: fc.constantFrom(1, 2)})
  .chain(({size, width, times}) => {
    const columns = size * times;
    return fc.record({
      queries: matrix(size, width),
      documents: matrix(columns, width),
      similarity: fc.constantFrom('cosine' as const, 'dot' as const),
      scale: fc.constantFrom(0.5, 1, 6),
      contrast: mayBe(fc.record({queries: fc.boolean(), documents: fc.boolean()})),
      chances: mayBe(fc.array(fc.constantFrom(1e-8, 1e-3, 0.1, 0.5, 1), {minLength: columns, maxLength: columns})),
      ids: mayBe(fc.array(fc.nat(columns), {minLength: columns, maxLength: columns})),
      guide: mayBe(
        fc.record({
          queries: matrix(size, 3),
          documents: matrix(columns, 3),
          margin: fc.constantFrom(0.03, 0.17),
          strategy: fc.constantFrom('absolute' as const, 'relative' as const),
        }),
      ),
      hardNegatives: mayBe(fc.integer({min: 1, max: 9})),
    });
  })
  .map((given) => without(given) as Towers);

/** Rows as the outputs of towers: queries, then documents, as many at a time. */
const outputsOf = (queries: Towers['queries'], documents: Towers['documents']) => {
  const parts = [queries];
  for (let from = 0; from < documents.length; from += queries.length) {
    parts.push(documents.slice(from, from + queries.length));
  }
  return parts.map((rows) => tf.tensor2d(rows as number[][]));
};

function lossOf({similarity, scale, contrast, chances, ids, guide, hardNegatives}: Towers): TowerLoss {
  return inBatchSoftmax({
    ...{similarity, scale},
    ...(contrast && {contrast}),
    ...(chances && {samplingProbability: () => tf.tensor1d([...chances])}),
    ...(ids && {candidateIds: () => tf.tensor1d([...ids], 'int32')}),
    ...(hardNegatives && {hardNegatives}),
    ...(guide && {
      guide: {
        margin: guide.margin,
        strategy: guide.strategy,
        embeddings: () => outputsOf(guide.queries, guide.documents),
      },
    }),
  });
}

const rules: fc.Arbitrary<Rules> = fc
  .record({
    count: fc.integer({min: 1, max: 4}),
    rangeMin: mayBe(fc.nat(3)),
    width: mayBe(fc.integer({min: 1, max: 12})),
    absoluteMargin: mayBe(fc.nat(4)),
    relativeMargin: mayBe(fc.constantFrom(0, 0.25, 0.5)),
    maxScore: mayBe(fc.integer({min: -3, max: 12})),
    minScore: mayBe(fc.integer({min: -12, max: 3})),
  })
  .map(({width, ...given}) => without({...given, rangeMax: width && width + (given.rangeMin ?? 0)}) as Rules);

const corpora = fc
  .record({queries: fc.integer({min: 1, max: 6}), documents: fc.integer({min: 3, max: 40})})
  .chain((size) =>
    fc.record({
      queries: matrix(size.queries, 3),
      documents: matrix(size.documents, 3),
      positives: fc.array(fc.array(fc.nat(size.documents - 1), {minLength: 1, maxLength: 3}), {
        minLength: size.queries,
        maxLength: size.queries,
      }),
    }),
  );

describeOnBackends('Over random batches', () => {
  it('inBatchSoftmax is its formula, with each of its options', () => {
    holds(
      fc.property(
        towers,
        tidied((given) => {
          const expected = softmaxLosses(given);
          fc.pre(expected !== undefined);
          expectClose(lossOf(given)([], outputsOf(given.queries, given.documents)), expected ?? [], CLOSE);
        }),
      ),
      200,
    );
  });

  it('hardContrastive is its formula', () => {
    const views = fc
      .record({size: fc.integer({min: 1, max: 16}), width: fc.integer({min: 2, max: 4})})
      .chain(({size, width}) => fc.tuple(matrix(size, width), matrix(size, width)));
    const terms = fc.record({
      temperature: fc.constantFrom(0.1, 0.5, 2),
      beta: fc.constantFrom(0, 0.5, 1, 2),
      tauPlus: fc.constantFrom(0, 0.1, 0.5),
    });
    holds(
      fc.property(
        views,
        terms,
        tidied((pair, options) => {
          const losses = hardContrastive(options)(
            [],
            pair.map((rows) => tf.tensor2d(rows)),
          );
          expectClose(losses, hardContrastiveLosses(pair, options), CLOSE);
        }),
      ),
    );
  });

  it('mineHardNegatives takes what no rule drops, and counts what each rule dropped', async () => {
    const seen = new Set<string>();
    const property = fc.asyncProperty(
      corpora,
      rules,
      mayBe(fc.integer({min: 1, max: 3})),
      async (corpus, own, batchSize) => {
        const [queries, documents] = [tf.tensor2d(corpus.queries), tf.tensor2d(corpus.documents)];
        const {positives} = corpus;
        const options = {
          queries,
          documents,
          positives,
          similarity: 'dot' as const,
          ...own,
          ...(batchSize && {batchSize}),
        };
        const {negatives, dropped, short} = await mineHardNegatives(options);
        tf.dispose([queries, documents]);
        const expected = minedByRules(corpus.queries, corpus.documents, positives, own);
        expect({negatives: negatives.map((rows) => Array.from(rows)), dropped, short}).toEqual(expected);
        for (const [rule, count] of Object.entries(dropped)) if (count > 0) seen.add(rule);
      },
    );
    await fc.assert(property, {...RUNS, numRuns: 150});
    expect([...seen].sort()).toEqual(['absoluteMargin', 'maxScore', 'minScore', 'rangeMin', 'relativeMargin']);
  });
});

const TOWERS: Record<string, () => TowerLoss> = {
  inBatchSoftmax: () => inBatchSoftmax({scale: 3}),
  'inBatchSoftmax of dot products': () => inBatchSoftmax({scale: 0.7, similarity: 'dot'}),
  'inBatchSoftmax with contrast and hard negatives': () =>
    inBatchSoftmax({scale: 3, contrast: {queries: true, documents: true}, hardNegatives: 4}),
  hardContrastive: () => hardContrastive(),
  'hardContrastive with its correction': () => hardContrastive({temperature: 1, beta: 2, tauPlus: 0.3}),
};

describeOnBackends('The gradient', () => {
  it.each(Object.entries(TOWERS))('of %s is the limit of finite differences, for both towers', (_, build) => {
    const loss = build();
    const [rows, width] = [6, 3];
    const given = [21, 22].map((seed) => tf.randomNormal([rows, width], 0, 1, 'float32', seed));
    const weights = tf.tensor1d([1, 0.5, 2, 0, 1, 3]);
    const total = (outputs: tf.Tensor[]) => tf.sum(tf.mul(loss([], outputs), weights)) as tf.Scalar;
    const gradients = tf.grads((one, other) => total([one, other]))(given);
    const step = 2e-3;
    gradients.forEach((gradient, tower) => {
      const slopes = Array.from({length: rows * width}, (__, i) => {
        const moved = (by: number) => {
          const values = Float32Array.from((given[tower] as tf.Tensor).dataSync());
          values[i] = (values[i] as number) + by;
          const outputs = given.map((output, t) => (t === tower ? tf.tensor2d(values, [rows, width]) : output));
          return tf.tidy(() => total(outputs).dataSync()[0] as number);
        };
        return (moved(step) - moved(-step)) / (2 * step);
      });
      const size = Math.max(...slopes.map(Math.abs));
      expect(size).toBeGreaterThan(0.01);
      expectClose(gradient, slopes, {absolute: 0.01 * size + 2e-3, relative: 0});
    });
  });
});
