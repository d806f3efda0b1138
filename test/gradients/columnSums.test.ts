import {memory, ones, type Tensor, tensor, tidy} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {columnSums} from '../../src/rows';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {filled, uniform} from '../support/lossCases';
import {RUNS, randomFrom} from '../support/property';

function sumsOf(values: readonly number[], columns: number): number[] {
  const sums = new Array<number>(columns).fill(0);
  for (const [i, value] of values.entries()) sums[i % columns] = (sums[i % columns] as number) + value;
  return sums;
}

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
        const sums = columnSums(tensor(values, shape));
        expect([sums.dtype, sums.shape]).toEqual(['float32', [columns]]);
        expectClose(sums, sumsOf(values, columns), {absolute: 1e-3, relative: 1e-4});
      }),
      {...RUNS, numRuns: 40},
    );
  });

  // The pooling of wasm writes out of bounds from 16,349 channels on: 8209 and 16,411 are primes.
  it.each([8191, 8192, 8193, 8209, 16_348, 16_349, 16_384, 16_411, 20_000, 32_768, 2 * 8209, 65_536])(
    'adds up %i columns, and writes nowhere else',
    (columns) => {
      tidy(() => {
        // Neighbours in the memory of wasm, made before and after.
        const before = ones([40_000]);
        const values = filled([12, columns], uniform(randomFrom(columns), -1, 1));
        const sums = columnSums(tensor(values, [12, columns]));
        const after = ones([40_000]);
        expect(sums.shape).toEqual([columns]);
        expectClose(sums, sumsOf(values, columns), {absolute: 1e-5, relative: 1e-5});
        for (const neighbour of [before, after]) expect(neighbour.dataSync().every((value) => value === 1)).toBe(true);
      });
    },
  );

  it('adds up many rows as well as few', () => {
    tidy(() => {
      const values = filled([5000, 16], uniform(randomFrom(5), 0, 1));
      expectClose(columnSums(tensor(values, [5000, 16])), sumsOf(values, 16), {absolute: 0, relative: 1e-5});
    });
  });

  it('takes a single row as it is, as a tensor of its own', () => {
    const row = ones([1, 1, 20]);
    const before = memory().numTensors;
    const sums: Tensor = columnSums(row);
    expect(memory().numTensors).toBe(before + 1);
    row.dispose();
    expect([...sums.dataSync()]).toEqual(new Array(20).fill(1));
    sums.dispose();
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
