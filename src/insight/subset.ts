import {checkOptionNames, checkRatio, checkWhole, rangeError, typeError} from '../checks';
import {largestFirst} from './largestFirst';

const NAME = 'subset';

export interface SubsetOptions {
  /** Share of the rows to keep, in (0, 1]. */
  keep: number;
  /**
   * Number of the largest scores to skip, as likely label errors; per class with `balance`. Default
   * 0.
   */
  offset?: number;
  /** Label of each row: keeps the same share of each class. Omit to ignore classes. */
  balance?: ArrayLike<number>;
}

/**
 * Picks the rows with the largest scores, to train on them alone.
 *
 *     rows = argsort(scores, descending)[offset … offset + round(keep · N))
 *
 * Static pruning of a data set by the scores of a short run: `ledger.el2n()` after a few epochs,
 * `ledger.forgetting()`, or losses. Negate the scores to keep the smallest. A NaN score, as of an
 * unseen row, is never picked; ±∞ is. With `balance` each class is pruned separately to
 * `round(keep · N_c)` rows. Ties keep the lower row. (The `offset` of data_diet counts from the
 * smallest score.)
 *
 * @param scores  a number for each row.
 * @param options  `keep`, `offset` (default 0), `balance`.
 * @returns the rows, ascending, `Int32Array`.
 * @throws TypeError if `scores` or `balance` is not a list of numbers; RangeError if `keep` is not
 *   in (0, 1], `offset` not an integer ≥ 0, or too few rows have a score.
 *
 * @example
 * subset([0.1, 0.9, 0.4, 0.7], {keep: 0.5});              // Int32Array [1, 3]
 * subset([0.1, 0.9, 0.4, 0.7], {keep: 0.5, offset: 1});   // Int32Array [2, 3]
 *
 * @see Paul et al., Deep Learning on a Data Diet, NeurIPS 2021, §3 and §4 (arXiv:2107.07075)
 */
export function subset(scores: ArrayLike<number>, options: SubsetOptions = {} as SubsetOptions): Int32Array {
  checkOptionNames(NAME, options, ['keep', 'offset', 'balance']);
  const {keep, offset = 0, balance} = options;
  checkNumbers('scores', scores);
  checkRatio(NAME, 'keep', keep);
  checkWhole(NAME, 'offset', offset);
  if (balance !== undefined) {
    checkNumbers('balance', balance);
    if (balance.length !== scores.length) {
      throw typeError(NAME, 'balance', `hold a label for each of the ${scores.length} rows`, `${balance.length}`);
    }
  }
  const picked = rowsByLabel(scores.length, balance).flatMap(({name, rows}) => {
    const count = Math.round(keep * rows.length);
    const places = largestFirst(rows.length, offset + count, (place) => scores[rows[place] as number] as number);
    if (places.length < offset + count) {
      const of = `${places.length} of ${rows.length} rows${name}`;
      const constraint = `give ${offset + count} rows${name} to leave out and to keep`;
      throw rangeError(NAME, 'scores', constraint, of, 'Take a smaller keep or offset; a score of NaN does not count.');
    }
    return Array.from(places.subarray(offset), (place) => rows[place] as number);
  });
  return Int32Array.from(picked).sort();
}

/** The rows of each class, or all rows. */
function rowsByLabel(size: number, labels: ArrayLike<number> | undefined): {name: string; rows: number[]}[] {
  const all = Array.from({length: size}, (_, row) => row);
  if (!labels) return [{name: '', rows: all}];
  const classes = new Map<number, number[]>();
  for (const row of all) {
    const label = labels[row] as number;
    const ofLabel = classes.get(label);
    if (ofLabel) ofLabel.push(row);
    else classes.set(label, [row]);
  }
  return [...classes].map(([label, rows]) => ({name: ` of class ${label}`, rows}));
}

function checkNumbers(argument: string, values: ArrayLike<number>): void {
  if (typeof values === 'object' && typeof values?.length === 'number' && values.length > 0) return;
  throw typeError(NAME, argument, 'be a list of numbers', values);
}
