import {type Tensor1D, tensor1d, tidy} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import type {Keep, SelectionContext, Selector} from 'ohem-tfjs';

/** A selection as numbers. (A type, so that `tf.tidy` takes it.) */
export type Selected = {
  indices: number[];
  weights: number[];
};

/** Reads what a selector keeps; disposes everything. */
export function selected(select: Selector, losses: readonly number[], context?: SelectionContext): Selected {
  return tidy(() => {
    const {indices, weights} = select(tensor1d([...losses]), context);
    return {indices: [...indices.dataSync()], weights: [...weights.dataSync()]};
  });
}

/** The rows that count, hardest first. */
export function keptRows({indices, weights}: Selected): number[] {
  return indices.filter((_, place) => (weights[place] as number) > 0);
}

/**
 * The rows with the largest losses in plain JavaScript: a stable sort, so that ties keep the lower
 * index.
 */
export function largestRows(losses: readonly number[], keep: Keep, valid?: readonly number[]): number[] {
  const isValid = (row: number) => valid === undefined || valid[row] !== 0;
  const rows = losses.map((_, row) => row);
  const usable = rows.filter((row) => Number.isFinite(losses[row]) && isValid(row));
  const hardestFirst = usable.sort((a, b) => (losses[b] as number) - (losses[a] as number) || a - b);
  return hardestFirst.slice(0, 'k' in keep ? keep.k : shareOf(keep, rows.filter(isValid).length));
}

/** The number of rows that a ratio is of a count. */
export function shareOf({ratio, minK = 1}: {ratio: number; minK?: number}, rows: number): number {
  return Math.max(minK, Math.round(ratio * rows));
}

/** Losses with many ties, and with rows that are not finite. */
export const lossRows: fc.Arbitrary<number[]> = fc.array(
  fc.oneof(
    {weight: 4, arbitrary: fc.constantFrom(0, 0.25, 0.5, 1, 2, -1)},
    {weight: 3, arbitrary: fc.float({noNaN: true, noDefaultInfinity: true, min: -(2 ** 99), max: 2 ** 99})},
    {weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)},
  ),
  {minLength: 1, maxLength: 24},
);

/** Counts, and ratios whose products with whole numbers float64 rounds as one would by hand. */
export const keeps: fc.Arbitrary<Keep> = fc.oneof(
  fc.record({k: fc.integer({min: 1, max: 30})}),
  fc.record({ratio: fc.constantFrom(1e-9, 0.1, 0.25, 0.3, 1 / 3, 0.5, 0.7, 0.75, 0.9, 1)}),
  fc.record({ratio: fc.constantFrom(0.1, 0.5, 0.75), minK: fc.integer({min: 1, max: 30})}),
);

export const marks = (values: readonly number[], dtype: 'float32' | 'int32' | 'bool' = 'float32'): Tensor1D =>
  tensor1d([...values], dtype);
