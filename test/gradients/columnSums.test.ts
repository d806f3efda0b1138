import {tensor} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {columnSums} from '../../src/gradients/columnSums';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {filled, uniform} from '../support/lossCases';
import {RUNS, randomFrom} from '../support/property';

describeOnBackends('columnSums', () => {
  it('adds up over all axes but the last, few columns or many', () => {
    const cases = fc.record({
      leading: fc.array(fc.integer({min: 1, max: 9}), {minLength: 0, maxLength: 3}),
      columns: fc.constantFrom(1, 2, 15, 16, 17, 64, 200),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(cases, ({leading, columns, seed}) => {
        const shape = [...leading, columns];
        const values = filled(shape, uniform(randomFrom(seed), -1, 1));
        const expected = Array.from({length: columns}, (_, column) =>
          values.reduce((total, value, i) => (i % columns === column ? total + value : total), 0),
        );
        const sums = columnSums(tensor(values, shape));
        expect([sums.dtype, sums.shape]).toEqual(['float32', [columns]]);
        expectClose(sums, expected, {absolute: 1e-3, relative: 1e-4});
      }),
      {...RUNS, numRuns: 40},
    );
  });

  it('is not finite where an entry of its column is not', () => {
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const values = filled([3, 20], () => 1);
      values[45] = wrong;
      const sums = [...columnSums(tensor(values, [3, 20])).dataSync()];
      expect(sums.map(Number.isFinite)).toEqual(sums.map((_, column) => column !== 5));
    }
  });
});
