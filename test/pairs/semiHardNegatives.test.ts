/**
 * @file The negatives that semiHard takes on the host are those of a comparison with all of them.
 */
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {valuesAt} from '../../src/pairs/pairMasks';
import {comparedWithAll} from '../../src/pairs/semiHard';
import {negativesBeyond} from '../../src/pairs/semiHardNegatives';
import {describeOnBackends} from '../support/backends';
import {RUNS} from '../support/property';

/** Distances and, below 0, similarities; many are equal, and some zeros are negative. */
const value = fc.constantFrom(-2, -1.5, -1, -0, 0, 1e-45, 1e-6, 0.5, 1, 1 + 2 ** -23, 2, 1e15);

const cases = fc
  .record({
    rows: fc.integer({min: 1, max: 6}),
    columns: fc.integer({min: 1, max: 9}),
    width: fc.integer({min: 1, max: 4}),
  })
  .chain(({rows, columns, width}) => {
    const matrix = <T>(of: fc.Arbitrary<T>, size: number) =>
      fc.array(fc.array(of, {minLength: size, maxLength: size}), {minLength: rows, maxLength: rows});
    return fc.record({
      distances: matrix(value, columns),
      negatives: matrix(fc.constantFrom(0, 1), columns),
      places: matrix(fc.integer({min: 0, max: columns - 1}), width),
    });
  });

describeOnBackends('negativesBeyond', () => {
  it('finds the nearest negative beyond each positive, the farthest without one, and the lower of two', () => {
    fc.assert(
      fc.property(cases, ({distances, negatives, places}) =>
        tf.tidy(() => {
          const ofPositives = tf.tensor2d(places.map((row, i) => row.map((place) => distances[i]?.[place] as number)));
          const given = {distances: tf.tensor2d(distances), negatives: tf.tensor2d(negatives), ofPositives};
          const found = negativesBeyond(given).arraySync();
          expect(found).toEqual(
            places.map((row, i) => row.map((place) => plainNegative(distances[i] ?? [], negatives[i] ?? [], place))),
          );
        }),
      ),
      {...RUNS, numRuns: 100},
    );
  });

  it('finds what a comparison with all negatives finds', () => {
    const distances = tf.round(tf.mul(tf.randomUniform([40, 40], 0, 1, 'float32', 3), 50)) as tf.Tensor2D;
    const negatives = tf.cast(
      tf.greater(tf.randomUniform([40, 40], 0, 1, 'float32', 4), 0.4),
      'float32',
    ) as tf.Tensor2D;
    const columns = tf.cast(tf.randomUniformInt([40, 7], 0, 40, 5), 'int32') as tf.Tensor2D;
    const ofPositives = valuesAt(distances, columns);
    const given = {distances, negatives, ofPositives};
    expect(negativesBeyond(given).arraySync()).toEqual(comparedWithAll(given, columns).arraySync());
  });
});

function plainNegative(distances: number[], negatives: number[], positive: number): number {
  const bound = distances[positive] as number;
  const all = distances.flatMap((distance, place) => (negatives[place] ? [{distance, place}] : []));
  const beyond = all.filter(({distance}) => distance > bound);
  const nearest = Math.min(...beyond.map(({distance}) => distance));
  const farthest = Math.max(...all.map(({distance}) => distance));
  const found = beyond.find(({distance}) => distance === nearest) ?? all.find(({distance}) => distance === farthest);
  return found?.place ?? 0;
}
