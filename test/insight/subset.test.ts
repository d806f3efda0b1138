import fc from 'fast-check';
import {subset} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {RUNS} from '../support/property';

const scored = fc.array(fc.record({score: fc.float({noNaN: true}), label: fc.nat(2)}), {minLength: 1, maxLength: 40});

/** What `subset` says of itself, by sorting all. */
function sorted(rows: number[], scores: number[], keep: number, offset: number): number[] {
  const order = [...rows].sort((a, b) => Math.sign((scores[b] ?? 0) - (scores[a] ?? 0)) || a - b);
  return order.slice(offset, offset + Math.round(keep * rows.length));
}

describe('subset', () => {
  it('keeps the largest of random scores, and of each class', () => {
    fc.assert(
      fc.property(scored, fc.double({min: 0.01, max: 0.6, noNaN: true}), (rows, keep) => {
        const [scores, labels] = [rows.map(({score}) => score), rows.map(({label}) => label)];
        const all = [...rows.keys()];
        const byPlace = (picked: number[]) => picked.sort((a, b) => a - b);
        expect([...subset(scores, {keep})]).toEqual(byPlace(sorted(all, scores, keep, 0)));
        const ofClasses = [0, 1, 2].flatMap((label) => {
          return sorted(
            all.filter((row) => labels[row] === label),
            scores,
            keep,
            0,
          );
        });
        expect([...subset(scores, {keep, balance: labels})]).toEqual(byPlace(ofClasses));
      }),
      RUNS,
    );
  });

  it('leaves out the largest first, in each class if it is balanced', () => {
    const [scores, balance] = [
      [5, 1, 4, 3, 2, 6],
      [0, 0, 0, 1, 1, 1],
    ];
    expect([...subset(scores, {keep: 0.5, offset: 1})]).toEqual([0, 2, 3]);
    expect([...subset(scores, {keep: 1 / 3, offset: 1, balance})]).toEqual([2, 3]);
  });

  it('never picks a score of NaN, and picks rows that were never learned first', () => {
    expect([...subset([Number.NaN, 2, Number.POSITIVE_INFINITY, 1], {keep: 0.5})]).toEqual([1, 2]);
    expect(() => subset([Number.NaN, 1], {keep: 1})).toThrow(
      new RangeError(
        'subset: scores must give 2 rows to leave out and to keep, got 1 of 2 rows. Take a smaller keep or offset; a ' +
          'score of NaN does not count.',
      ),
    );
    expect(() => subset([1, 2, 3], {keep: 1, offset: 1, balance: [0, 0, 1]})).toThrow('2 of 2 rows of class 0');
  });
});
