/**
 * @file Miners and losses against plain rules over random batches, also of one class, of one row a
 *   class and of equal rows.
 */
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  batchHard,
  contrastiveLoss,
  type DistanceOptions,
  multiSimilarity,
  multiSimilarityLoss,
  ntXent,
  type Pairs,
  semiHard,
  supervisedContrastive,
  tripletLoss,
  tripletMargin,
} from 'ohem-tfjs/pairs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {listPairs, listTriplets} from '../support/pairOracles';
import {
  batchHardDistances,
  distancesOf,
  marginTriplets,
  PAIR_LOSSES,
  type PlainBatch,
  semiHardDistances,
  similarPairs,
  tripletLosses,
} from '../support/pairRules';
import {RUNS} from '../support/property';

/** On a grid, so that many distances are equal or far from one another. */
const batches: fc.Arbitrary<PlainBatch> = fc
  .record({
    size: fc.integer({min: 2, max: 64}),
    width: fc.integer({min: 1, max: 4}),
    classes: fc.integer({min: 1, max: 64}),
  })
  .chain(({size, width, classes}) =>
    fc.record({
      rows: fc.array(fc.array(fc.integer({min: -3, max: 3}), {minLength: width, maxLength: width}), {
        minLength: size,
        maxLength: size,
      }),
      labels: fc.array(fc.integer({min: 0, max: classes - 1}), {minLength: size, maxLength: size}),
    }),
  );

const squared: DistanceOptions = {distance: 'squaredEuclidean', normalize: false};
const distances = fc.constantFrom<DistanceOptions>(
  squared,
  {distance: 'dot'},
  {distance: 'euclidean', normalize: false},
);
/** Equal in float32 as on paper. */
const exact = fc.constantFrom<DistanceOptions>(squared, {distance: 'dot'});

const tensorsOf = ({rows, labels}: PlainBatch) => [tf.tensor2d(rows), tf.tensor1d(labels, 'int32')] as const;
const runs = {...RUNS, numRuns: 60};
const CLOSE = {absolute: 2e-4, relative: 5e-4};

/** Tries a property; tensors are disposed after each run. */
const holds = <T extends unknown[]>(property: fc.IProperty<T>) => fc.assert(property, runs);
const tidied =
  <T extends unknown[]>(f: (...given: T) => void) =>
  (...given: T) =>
    void tf.tidy(() => f(...given));

describeOnBackends('Over random batches', () => {
  it('batchHard takes the farthest positive and the nearest negative', () => {
    holds(
      fc.property(
        batches,
        exact,
        tidied((batch, options) => {
          const d = distancesOf(batch, options);
          const found = listTriplets(batchHard(options)(...tensorsOf(batch)));
          const expected = batchHardDistances(batch, d).flatMap((pair, a) => (pair ? [[a, ...pair]] : []));
          expect(found.map(([a, p, n]) => [a, d(a, p), d(a, n)])).toEqual(expected);
        }),
      ),
    );
  });

  it('semiHard takes the nearest negative beyond each positive, or the farthest', () => {
    holds(
      fc.property(
        batches,
        exact,
        tidied((batch, options) => {
          const d = distancesOf(batch, options);
          const found = listTriplets(semiHard(options)(...tensorsOf(batch)));
          expect(found.map(([a, p, n]) => [a, p, d(a, n)])).toEqual(semiHardDistances(batch, d));
        }),
      ),
    );
  });

  it('tripletMargin takes all triplets of a kind', () => {
    const types = fc.constantFrom('all', 'hard', 'semihard', 'easy');
    holds(
      fc.property(
        batches,
        exact,
        types,
        fc.integer({min: 0, max: 5}),
        tidied((batch, options, type, margin) => {
          const found = listTriplets(tripletMargin({...options, type: type as 'all', margin})(...tensorsOf(batch)));
          expect(found).toEqual(marginTriplets(batch, distancesOf(batch, options), margin, type));
        }),
      ),
    );
  });

  it('multiSimilarity takes the pairs that overlap', () => {
    holds(
      fc.property(
        batches,
        exact,
        fc.constantFrom(0, 0.5, 2),
        tidied((batch, options, epsilon) => {
          const found = listPairs(multiSimilarity({...options, epsilon})(...tensorsOf(batch)) as Pairs);
          expect(found).toEqual(similarPairs(batch, distancesOf(batch, options), epsilon));
        }),
      ),
    );
  });

  it('tripletLoss is the mean over the triplets of each anchor', () => {
    const terms = fc.record({margin: fc.constantFrom(0, 0.2, 3), soft: fc.boolean(), swap: fc.boolean()});
    holds(
      fc.property(
        batches,
        distances,
        terms,
        tidied((batch, options, given) => {
          const mine = tripletMargin({type: 'all', margin: 1e6});
          const [embeddings, labels] = tensorsOf(batch);
          const losses = tripletLoss({...options, ...given, mine})(labels, embeddings);
          expectClose(losses, tripletLosses(batch, distancesOf(batch, options), given), CLOSE);
        }),
      ),
    );
  });

  it.each([
    [
      'contrastive',
      (options: DistanceOptions) =>
        contrastiveLoss(options.distance === 'dot' ? {...options, positiveMargin: 0, negativeMargin: -1} : options),
    ],
    [
      'multiSimilarity',
      (options: DistanceOptions) =>
        multiSimilarityLoss(options.distance === 'dot' ? options : {...options, base: -0.5}),
    ],
    ['ntXent', (options: DistanceOptions) => ntXent({...options, temperature: 0.5})],
    ['supervisedContrastive', (options: DistanceOptions) => supervisedContrastive({...options, temperature: 0.5})],
  ] as const)('the loss of %s is its formula', (name, build) => {
    holds(
      fc.property(
        batches,
        distances,
        tidied((batch, options) => {
          const [embeddings, labels] = tensorsOf(batch);
          const rule = PAIR_LOSSES[name] as (typeof PAIR_LOSSES)[string];
          // Similarities may be anything: of the hinges, the plain rule has those of distances.
          if (name === 'contrastive' && options.distance === 'dot') return;
          expectClose(build(options)(labels, embeddings), rule(batch, distancesOf(batch, options), 0.5), CLOSE);
        }),
      ),
    );
  });
});

const LOSSES = {
  'tripletLoss of semiHard': () => tripletLoss({margin: 0.5}),
  'tripletLoss of all, soft, swap': () => tripletLoss({mine: tripletMargin({margin: 9}), soft: true, swap: true}),
  'tripletLoss of batchHard, swap': () => tripletLoss({mine: batchHard(), margin: 0.5, swap: true}),
  'tripletLoss of the dot product': () => tripletLoss({mine: tripletMargin({margin: 9}), soft: true, distance: 'dot'}),
  'tripletLoss of squares': () =>
    tripletLoss({mine: tripletMargin({margin: 9}), soft: true, distance: 'squaredEuclidean', normalize: false}),
  contrastiveLoss: () => contrastiveLoss({negativeMargin: 1.3}),
  multiSimilarityLoss: () => multiSimilarityLoss(),
  ntXent: () => ntXent({temperature: 0.3}),
  supervisedContrastive: () => supervisedContrastive({temperature: 0.3}),
  'supervisedContrastive of distances': () => supervisedContrastive({temperature: 0.3, distance: 'euclidean'}),
};

describeOnBackends('The gradient', () => {
  it.each(Object.entries(LOSSES))('of %s is the limit of finite differences', (_, build) => {
    const loss = build();
    const shape: [number, number] = [10, 3];
    const labels = tf.tensor1d([0, 0, 1, 1, 2, 2, 0, 1, 3, 2], 'int32');
    const at = tf.randomNormal(shape, 0, 1, 'float32', 17) as tf.Tensor2D;
    const weights = tf.tensor1d([1, 0.5, 2, 1, 0, 1, 1, 3, 1, 0.25]);
    const value = (x: tf.Tensor) => tf.tidy(() => tf.sum(tf.mul(loss(labels, x), weights)).dataSync()[0] as number);
    const gradient = tf
      .grad((x) => tf.sum(tf.mul(loss(labels, x), weights)))(at)
      .dataSync();
    const size = Math.max(...Array.from(gradient, Math.abs));
    const step = 2e-3;
    for (let i = 0; i < at.size; i++) {
      const moved = (by: number) => {
        const values = Float32Array.from(at.dataSync());
        values[i] = (values[i] as number) + by;
        return value(tf.tensor2d(values, shape));
      };
      const slope = (moved(step) - moved(-step)) / (2 * step);
      expect(Math.abs(slope - (gradient[i] as number))).toBeLessThan(0.01 * size + 2e-3);
    }
  });

  it('is finite, and the loss too, for equal rows, one class, one row a class and zeros', () => {
    const batchesOfAllKinds: [number[], number[][]][] = [
      [
        [0, 1, 0, 1],
        [
          [1, 2],
          [1, 2],
          [1, 2],
          [1, 2],
        ],
      ],
      [
        [0, 0, 0],
        [
          [1, 2],
          [2, 1],
          [0, 1],
        ],
      ],
      [
        [0, 1, 2],
        [
          [1, 2],
          [2, 1],
          [0, 1],
        ],
      ],
      [
        [0, 0, 1, 1],
        [
          [0, 0],
          [0, 0],
          [0, 0],
          [0, 0],
        ],
      ],
      [[0], [[1, 2]]],
      [
        [0, 1],
        [
          [1e-20, 0],
          [1e20, 1],
        ],
      ],
    ];
    for (const [list, rows] of batchesOfAllKinds) {
      for (const [name, build] of Object.entries(LOSSES)) {
        const [loss, labels, embeddings] = [build(), tf.tensor1d(list, 'int32'), tf.tensor2d(rows)];
        if (name.includes('dot') || name.includes('squares')) if (rows.flat().some((value) => value > 1e15)) continue;
        expect(Array.from(loss(labels, embeddings).dataSync()).every(Number.isFinite)).toBe(true);
        const gradient = tf.grad((x) => tf.sum(loss(labels, x)))(embeddings);
        expect(Array.from(gradient.dataSync()).every(Number.isFinite)).toBe(true);
      }
    }
  });
});
