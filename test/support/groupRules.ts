/** @file Rules over groups in plain JavaScript, and random batches to try them on. */
import {tensor1d} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import type {SelectionContext} from 'ohem-tfjs';
import {marks} from './selections';

/** A row as the rules see it. */
export interface Row {
  row: number;
  loss: number;
  valid: boolean;
  positive: boolean;
  group: number;
}

/** Rows with ties, with losses that are not finite, some not valid, in up to four groups. */
export const rows: fc.Arbitrary<Row[]> = fc
  .array(
    fc.record({
      loss: fc.oneof(
        {weight: 6, arbitrary: fc.constantFrom(0, 0.25, 0.5, 1, 2, -1)},
        {weight: 3, arbitrary: fc.float({noNaN: true, min: -8, max: 8})},
        {weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)},
      ),
      valid: fc.integer({min: 0, max: 4}).map((n) => n > 0),
      positive: fc.integer({min: 0, max: 2}).map((n) => n === 0),
      group: fc.constantFrom(0, 3, -5, 16_777_215),
    }),
    {minLength: 1, maxLength: 28},
  )
  .map((list) => list.map((one, row) => ({...one, row})));

/** The context of such a batch. */
export function contextOf(batch: readonly Row[]): Required<Pick<SelectionContext, 'valid' | 'positive' | 'group'>> {
  return {
    valid: marks(batch.map(({valid}) => Number(valid))),
    positive: marks(batch.map(({positive}) => Number(positive))),
    group: tensor1d(
      batch.map(({group}) => group),
      'int32',
    ),
  };
}

export const lossesOf = (batch: readonly Row[]) => batch.map(({loss}) => loss);
export const isUsable = ({loss, valid}: Row) => valid && Number.isFinite(loss);

/** Hardest first; of equals the lower index first. */
export const byLoss = (a: Row, b: Row) => b.loss - a.loss || a.row - b.row;

/**
 * Keeps of each group what `rule` keeps of its usable rows, which it gets hardest first, and of all
 * its rows; hardest first.
 */
export function ofEachGroup(batch: readonly Row[], rule: (usable: Row[], all: Row[]) => Row[]): number[] {
  const groups = new Map<number, Row[]>();
  for (const one of batch) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  return [...groups.values()]
    .flatMap((all) => rule(all.filter(isUsable).sort(byLoss), all))
    .sort(byLoss)
    .map(({row}) => row);
}
