import {checkOneOf, checkOptionNames, checkSeed, rangeError, typeError} from '../checks';
import {shuffled, uniformFrom} from '../random';

const NAME = 'thresholdSamples';

export interface ThresholdSamplesOptions {
  /** Number of the set to draw; the two sets are disjoint. Default 0. */
  set?: 0 | 1;
  /** Seed of the draw. Default 0. */
  seed?: number | string;
}

/** Labels in which some rows have an extra class. */
export interface ThresholdSamples {
  /** The labels, with `extraClass` for the drawn rows. */
  labels: Int32Array;
  /** The drawn rows, ascending. */
  rows: Int32Array;
  /**
   * Label of the drawn rows, and number of the original classes: the model needs one more output.
   */
  extraClass: number;
}

/**
 * Assigns some rows to a class that does not exist, to learn how wrong labels behave.
 *
 *     ⌊N / (C + 1)⌋ rows, drawn without replacement, get the label C
 *
 * Train a model with `C + 1` outputs on these labels, with a ledger that keeps dynamics. The
 * margins of the drawn rows are those of wrong labels, and `suspectsByMargin` lists the other rows
 * with margins no larger. A second run with `set: 1` tests the drawn rows themselves. (The authors'
 * code draws ⌊N / C⌋.)
 *
 * @param labels  class numbers from 0 to C − 1.
 * @param options  `set` (default 0) and `seed` (default 0).
 * @returns `{labels, rows, extraClass}`.
 * @throws TypeError if `labels` is not a list; RangeError if it does not hold class numbers, has
 *   fewer than 2 classes, or too few rows to draw one.
 *
 * @example
 * const {labels, rows, extraClass} = thresholdSamples([0, 1, 0, 1, 0, 1]);
 * extraClass;                            // 2
 * rows.length;                           // 2
 * rows.map((row) => labels[row]);        // Int32Array [2, 2]
 *
 * @see Pleiss et al., NeurIPS 2020, §3.2 (arXiv:2001.10528)
 */
export function thresholdSamples(labels: ArrayLike<number>, options: ThresholdSamplesOptions = {}): ThresholdSamples {
  checkOptionNames(NAME, options, ['set', 'seed']);
  const {set = 0, seed = 0} = options;
  checkOneOf(NAME, 'set', `${set}`, ['0', '1']);
  checkSeed(NAME, seed);
  const classes = classesIn(labels);
  const count = Math.floor(labels.length / (classes + 1));
  if (count === 0) {
    const remedy = 'More rows are needed to draw one.';
    throw rangeError(NAME, 'labels', `have at least ${classes + 1} entries`, `${labels.length}`, remedy);
  }
  const order = shuffled(labels.length, uniformFrom(`${NAME}/${seed}`));
  const rows = order.slice(set * count, (set + 1) * count).sort();
  const relabelled = Int32Array.from(labels);
  for (const row of rows) relabelled[row] = classes;
  return {labels: relabelled, rows, extraClass: classes};
}

/** Checks class numbers, and returns the number of classes. */
function classesIn(labels: ArrayLike<number>): number {
  if (typeof labels !== 'object' || typeof labels?.length !== 'number') {
    throw typeError(NAME, 'labels', 'be a list of class numbers', labels);
  }
  let classes = 0;
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as number;
    if (!(Number.isInteger(label) && label >= 0)) {
      throw rangeError(NAME, 'labels', 'hold integers >= 0', `${label} at position ${row}`);
    }
    classes = Math.max(classes, label + 1);
  }
  if (classes < 2) throw rangeError(NAME, 'labels', 'have at least 2 classes', classes);
  return classes;
}
