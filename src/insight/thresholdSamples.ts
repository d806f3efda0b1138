import {checkOneOf, checkOptionNames, checkSeed, rangeError, typeError} from '../checks';
import {shuffled, uniformFrom} from '../random';

const NAME = 'thresholdSamples';

export interface ThresholdSamplesOptions {
  /** Which of two disjoint sets to draw. Default 0. */
  set?: 0 | 1;
  /** Same seed, same rows. Default 0. */
  seed?: number | string;
}

/** Labels of which some are of an extra class. */
export interface ThresholdSamples {
  /** The labels, with `extraClass` for the drawn rows. */
  labels: Int32Array;
  /** The drawn rows, ascending. */
  rows: Int32Array;
  /** The label of the drawn rows, and so the number of classes without it: the model needs one output more. */
  extraClass: number;
}

/**
 * Gives some rows the label of a class that does not exist, to learn how a wrong label looks.
 *
 *     ⌊N / (C + 1)⌋ rows, drawn without replacement, get the label C
 *
 * Train a model with `C + 1` outputs on these labels, with a ledger that keeps dynamics: the margins of the drawn rows
 * are those of wrong labels, and `suspectsByMargin` lists the other rows that have none larger. The drawn rows
 * themselves are judged by a second run, with `set: 1`. (The authors' code draws ⌊N / C⌋.)
 *
 * @param labels  class numbers from 0 to C − 1.
 * @param options  `set` (default 0) and `seed` (default 0).
 * @returns `{labels, rows, extraClass}`.
 * @throws TypeError if `labels` is no list; RangeError if it holds no class numbers, fewer than 2 classes, or too few rows
 *   to draw one.
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

/** Checks class numbers, and says how many classes there are. */
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
  if (classes < 2) throw rangeError(NAME, 'labels', 'be of at least 2 classes', classes);
  return classes;
}
