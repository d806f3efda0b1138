import {tensor1d} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {descending} from '../../src/selectors/ranking';
import {RUNS, randomFrom} from '../support/property';
import {describeOnBackends} from './support/backends';
import {deviceReads} from './support/deviceReads';

/** Finite float32 that no GPU rounds to 0, many of them equal. */
const score = fc.oneof(
  fc.constantFrom(0, 0.25, 1, -1, -3.4028234663852886e38),
  fc.integer({min: -(2 ** 24), max: 2 ** 24}),
);

/**
 * The order of the largest, in plain JavaScript: a stable sort, so that ties keep the lower index.
 */
const order = (scores: readonly number[]) =>
  [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);

async function expectOrder(scores: readonly number[], count: number) {
  const input = tensor1d([...scores]);
  const reads = deviceReads();
  const {values, indices} = descending(input, count);
  const readBack = reads.count();
  reads.stop();
  const expected = order(scores).slice(0, count);
  expect([...(await indices.data())]).toEqual(expected);
  expect([...(await values.data())]).toEqual(expected.map((row) => scores[row]));
  expect([indices.dtype, values.dtype, readBack]).toEqual(['int32', 'float32', 0]);
  for (const tensor of [input, values, indices]) tensor.dispose();
}

describeOnBackends('descending', () => {
  it('is a stable sort from the largest to the smallest, for any scores, without a read', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(score, {minLength: 1, maxLength: 24}),
        fc.double({min: 0, max: 1, noNaN: true}),
        (scores, share) => expectOrder(scores, Math.ceil(share * (scores.length - 1)) + 1),
      ),
      {...RUNS, numRuns: 40},
    ));

  it.each([
    [512, 384],
    [4096, 4096],
    [4097, 4097],
    [9001, 5001],
    [32_768, 100],
    [9000, 200],
    [120_000, 64],
  ])('is so for %i scores of which %i are requested', (size, count) => {
    const random = randomFrom(size);
    return expectOrder(
      Array.from({length: size}, () => Math.floor(random() * size) / 4),
      count,
    );
  });
});
