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
  marginLoss,
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
  contrastiveLosses,
  distancesOf,
  marginLosses,
  marginTriplets,
  PAIR_LOSSES,
  semiHardDistances,
  similarPairs,
  tripletLosses,
} from '../support/pairRules';
import {batches, exact, holds, squared, tensorsOf, tidied} from '../support/plainBatches';

const distances = fc.constantFrom<DistanceOptions>(
  squared,
  {distance: 'dot'},
  {distance: 'euclidean', normalize: false},
);
const CLOSE = {absolute: 2e-4, relative: 5e-4};

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
      // Lists of up to 60,000 triplets.
      30,
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

  const kinds = fc.constantFrom('mean' as const, 'meanNonZero' as const, 'sum' as const);

  it('contrastiveLoss adds the pull of the positives and the push of the negatives, also of similarities', () => {
    holds(
      fc.property(
        batches,
        exact,
        fc.integer({min: 0, max: 3}),
        fc.integer({min: 0, max: 9}),
        kinds,
        tidied((batch, options, positiveMargin, negativeMargin, perAnchor) => {
          const [embeddings, labels] = tensorsOf(batch);
          const sign = options.distance === 'dot' ? -1 : 1;
          const margins = {positive: sign * positiveMargin, negative: sign * negativeMargin};
          const loss = contrastiveLoss({...options, positiveMargin, negativeMargin, perAnchor});
          const want = contrastiveLosses(batch, distancesOf(batch, options), margins, perAnchor);
          expectClose(loss(labels, embeddings), want, CLOSE);
        }),
      ),
    );
  });

  it('marginLoss keeps positives within the boundary and negatives beyond it, for each triplet', () => {
    holds(
      fc.property(
        batches,
        exact,
        fc.integer({min: -2, max: 6}),
        fc.constantFrom(0, 0.25, 2),
        kinds,
        tidied((batch, options, beta, margin, perAnchor) => {
          const [embeddings, labels] = tensorsOf(batch);
          const mine = tripletMargin({type: 'all', margin: 1e6});
          const border = options.distance === 'dot' ? -beta : beta;
          const want = marginLosses(batch, distancesOf(batch, options), {border, margin}, perAnchor);
          expectClose(marginLoss({...options, mine, beta, margin, perAnchor})(labels, embeddings), want, CLOSE);
        }),
      ),
    );
  });

  it.each([
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
  'contrastiveLoss of cosines': () => contrastiveLoss({distance: 'cosine', positiveMargin: 0.9, negativeMargin: -0.2}),
  'contrastiveLoss of the dot product': () =>
    contrastiveLoss({distance: 'dot', positiveMargin: 1.7, negativeMargin: -0.4, perAnchor: 'meanNonZero'}),
  marginLoss: () => marginLoss({mine: tripletMargin({margin: 9}), beta: 1.1, perAnchor: 'mean'}),
  'marginLoss of semiHard': () => marginLoss({mine: semiHard(), beta: 0.9}),
  'marginLoss of the dot product': () =>
    marginLoss({mine: tripletMargin({margin: 99}), distance: 'dot', beta: 0.3, perAnchor: 'sum'}),
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
