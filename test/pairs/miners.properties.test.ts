/**
 * @file The miners of pairs and shares, and the metrics, against plain rules over random batches,
 *   also of one class, of one row a class and of equal rows.
 */
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  angular,
  batchEasyHard,
  type DistanceOptions,
  distanceWeighted,
  hardestShare,
  meanAveragePrecisionAtR,
  type Pairs,
  pairMargin,
  precisionAt1,
  recallAtK,
} from 'ohem-tfjs/pairs';
import {expect, it} from 'vitest';
import {spaceOf} from '../../src/pairs/distances';
import {chances} from '../../src/pairs/distanceWeighted';
import {pairBatch} from '../../src/pairs/pairBatch';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {
  angularTriplets,
  averagePrecision,
  type Bounds,
  drawProbabilities,
  easyHardDistances,
  hardestPairs,
  pairsWhere,
  recall,
} from '../support/minerRules';
import {listPairs, listTriplets} from '../support/pairOracles';
import {distancesOf, negativesOf, type PlainBatch, positivesOf} from '../support/pairRules';
import {batches, exact, holds, squared, tensorsOf, tidied} from '../support/plainBatches';

/** A bound of distances, as the options have it: of a similarity when the distance is one. */
const signOf = ({distance}: DistanceOptions) => (distance === 'dot' ? -1 : 1);
const rangeOf = (bounds: Bounds | undefined, options: DistanceOptions) =>
  bounds && signOf(options) < 0 ? ([-bounds[1], -bounds[0]] as const) : bounds;

const combinations = fc.constantFrom(
  ...(['easy', 'semihard', 'hard'] as const)
    .flatMap((positive) => (['easy', 'semihard', 'hard'] as const).map((negative) => ({positive, negative})))
    .filter(({positive, negative}) => positive !== 'semihard' || negative !== 'semihard'),
);
const bounds = fc.option(
  fc.tuple(fc.integer({min: -9, max: 9}), fc.nat(20)).map(([from, width]): Bounds => [from, from + width]),
  {nil: undefined, freq: 1},
);

/** Of single numbers, whose products are exact: from 1e-18 to 1e19, of both signs, and 0. */
const spreadBatches: fc.Arbitrary<PlainBatch> = fc
  .array(
    fc.record({
      digits: fc.integer({min: -3, max: 3}),
      power: fc.integer({min: -30, max: 30}),
      label: fc.nat(3),
    }),
    {minLength: 2, maxLength: 24},
  )
  .map((rows) => ({
    rows: rows.map(({digits, power}) => [digits * 2 ** power]),
    labels: rows.map(({label}) => label),
  }));

describeOnBackends('Over random batches', () => {
  it('batchEasyHard takes the positive and the negative of its kinds, within their ranges', () => {
    holds(
      fc.property(
        batches,
        exact,
        combinations,
        bounds,
        bounds,
        tidied((batch, options, kinds, ofPositives, ofNegatives) => {
          const d = distancesOf(batch, options);
          const [positiveRange, negativeRange] = [ofPositives, ofNegatives].map((range) => rangeOf(range, options));
          const mine = batchEasyHard({
            ...options,
            ...kinds,
            ...(positiveRange && {positiveRange}),
            ...(negativeRange && {negativeRange}),
          });
          const found = listTriplets(mine(...tensorsOf(batch)));
          const ranges = {...(ofPositives && {positive: ofPositives}), ...(ofNegatives && {negative: ofNegatives})};
          expect(found.map(([a, p, n]) => [a, d(a, p), d(a, n)])).toEqual(easyHardDistances(batch, d, kinds, ranges));
          for (const [a, p, n] of found) {
            expect([positivesOf(batch, a).includes(p), negativesOf(batch, a).includes(n)]).toEqual([true, true]);
          }
        }),
      ),
      120,
    );
  });

  it("batchEasyHard takes every row of a side that is 'all', and one of the other", () => {
    holds(
      fc.property(
        batches,
        exact,
        fc.constantFrom('easy' as const, 'hard' as const, 'all' as const),
        tidied((batch, options, negative) => {
          const d = distancesOf(batch, options);
          const mine = batchEasyHard({...options, positive: 'all', negative});
          const {positives, negatives} = listPairs(mine(...tensorsOf(batch)) as Pairs);
          const every = pairsWhere(
            batch,
            () => true,
            () => true,
          );
          expect(positives).toEqual(every.positives);
          if (negative === 'all') {
            expect(negatives).toEqual(every.negatives);
            return;
          }
          const chosen = batch.labels.flatMap((_, a) => {
            const away = negativesOf(batch, a).map((n) => d(a, n));
            if (away.length === 0) return [];
            return [[a, negative === 'hard' ? Math.min(...away) : Math.max(...away)]];
          });
          expect(negatives.map(([a, n]) => [a, d(a, n)])).toEqual(chosen);
        }),
      ),
    );
  });

  it('pairMargin takes the positives beyond one distance and the negatives within another', () => {
    holds(
      fc.property(
        batches,
        exact,
        fc.integer({min: -9, max: 18}),
        fc.integer({min: -9, max: 18}),
        tidied((batch, options, beyond, inside) => {
          const d = distancesOf(batch, options);
          const sign = signOf(options);
          const mine = pairMargin({...options, positive: sign * beyond, negative: sign * inside});
          const expected = pairsWhere(
            batch,
            (a, p) => d(a, p) > beyond,
            (a, n) => d(a, n) < inside,
          );
          expect(listPairs(mine(...tensorsOf(batch)) as Pairs)).toEqual(expected);
        }),
      ),
    );
  });

  it.each([
    ['alike', batches],
    ['spread over 37 powers of ten', spreadBatches],
  ])('hardestShare takes a share of the pairs, and those equal to the last: distances %s', (_, given) => {
    const options = given === spreadBatches ? fc.constant<DistanceOptions>({distance: 'dot'}) : exact;
    holds(
      fc.property(
        given,
        options,
        fc.oneof(fc.integer({min: 1, max: 100}), fc.constantFrom(10, 50, 70, 100)),
        tidied((batch, distance, percent) => {
          const mined = hardestShare({...distance, ratio: percent / 100})(...tensorsOf(batch)) as Pairs;
          expect(listPairs(mined)).toEqual(hardestPairs(batch, distancesOf(batch, distance), percent));
        }),
      ),
    );
  });

  it('angular takes the triplets with a larger angle at the negative', () => {
    holds(
      fc.property(
        batches,
        fc.integer({min: 5, max: 80}),
        tidied((batch, degrees) => {
          const {triplets, isSure} = angularTriplets(batch, degrees);
          expect(listTriplets(angular({degrees})(...tensorsOf(batch))).filter(isSure)).toEqual(triplets);
        }),
      ),
      20,
    );
  });

  it('distanceWeighted draws by its law, one negative for each positive', () => {
    holds(
      fc.property(
        batches,
        fc.constantFrom([0.5, 1.4], [0.1, 1.9], [0.8, 1.1]),
        fc.nat(99),
        tidied((batch, [cutoff = 0, nonzero = 0], seed) => {
          const [embeddings, labels] = tensorsOf(batch);
          const law = drawProbabilities(batch, cutoff, nonzero);
          const rows = {embeddings, labels: tf.cast(labels, 'float32')};
          const weights = chances(pairBatch('test', spaceOf('test', {}, 'euclidean'), rows), cutoff, nonzero);
          const ours = (tf.div(weights, tf.maximum(tf.sum(weights, 1, true), 1e-30)) as tf.Tensor2D).arraySync();
          expectClose(ours.flat(), law.flat(), {absolute: 2e-5, relative: 2e-3});
          const found = listTriplets(distanceWeighted({cutoff, nonzero, seed})(embeddings, labels));
          const drawing = batch.labels.flatMap((_, a) =>
            law[a]?.some((chance) => chance > 0) ? positivesOf(batch, a).map((p) => [a, p]) : [],
          );
          expect(found.map(([a, p]) => [a, p])).toEqual(drawing);
          for (const [a, , n] of found) expect(law[a]?.[n]).toBeGreaterThan(0);
        }),
      ),
    );
  });

  it('recallAtK, precisionAt1 and meanAveragePrecisionAtR count the hits among the nearest rows', () => {
    holds(
      fc.property(
        batches,
        fc.integer({min: 1, max: 9}),
        tidied((batch, k) => {
          const d = distancesOf(batch, squared);
          const [embeddings, labels] = tensorsOf(batch);
          const measured = [recallAtK({...squared, k}), precisionAt1(squared), meanAveragePrecisionAtR(squared)].map(
            (metric) => metric(labels, embeddings).dataSync()[0] as number,
          );
          const expected = [recall(batch, d, k), recall(batch, d, 1), averagePrecision(batch, d)];
          expectClose(measured, expected, {absolute: 1e-6, relative: 1e-5});
        }),
      ),
    );
  });
});

describeOnBackends('distanceWeighted', () => {
  it('draws no row of the class of the anchor, if a sum is rounded', () => {
    // One negative at the cutoff, then many at 1.35. Each weighs less than half a unit in the last
    // place of the first, so adding them one by one changes nothing, but on cpu their sum does. The
    // last columns are those of the anchors. With this seed, a draw is beyond all negatives.
    const at = (distance: number) => {
      const angle = 2 * Math.asin(distance / 2);
      return [Math.cos(angle), Math.sin(angle), ...new Array<number>(23).fill(0)];
    };
    const distances = [0.5, ...new Array<number>(4000).fill(1.35), ...new Array<number>(100).fill(0)];
    const labels = distances.map((distance) => Number(distance > 0));
    const [rows, classes] = [tf.tensor2d(distances.map(at)), tf.tensor1d(labels, 'int32')];
    const [anchors, own] = [tf.slice(rows, [4001, 0], [20, 25]), tf.slice(classes, 4001, 20)];
    const reference = {embeddings: rows, labels: classes};
    const mined = listTriplets(distanceWeighted({seed: 0})(anchors, own, {reference}));
    expect(mined).toHaveLength(20 * 100);
    expect(mined.filter(([, , n]) => labels[n] === 0)).toEqual([]);
  });
});
