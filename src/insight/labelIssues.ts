import {Tensor, type Tensor2D} from '@tensorflow/tfjs-core';
import {
  checkClosedUnitInterval,
  checkOneOf,
  checkOptionNames,
  checkWhole,
  rangeError,
  shapeText,
  typeError,
} from '../checks';
import {calibrated, confidentJoint, type LabelledRows, largestOf} from './confidentJoint';

const NAME = 'labelIssues';

const WAYS = ['confidentLearning', 'pruneByNoiseRate', 'pruneByClass', 'both', 'disagreement'] as const;
const RANKS = ['selfConfidence', 'normalizedMargin'] as const;

export interface LabelIssuesOptions<Labels = ArrayLike<number> | ArrayLike<ArrayLike<number>>> {
  /**
   * A class number for each row. For labels that are not exclusive: a list of 0 and 1 for each row,
   * one number per label.
   */
  labels: Labels;
  /**
   * `[N, C]`: the probability of each class, or of each label, for each row. The model must not
   * have been trained on the row: see `crossValidated`.
   */
  probabilities: ArrayLike<ArrayLike<number>> | Tensor2D;
  /**
   * Rule that decides which rows are issues. Default `'confidentLearning'`: the rows that
   * confidently belong to another class. `'pruneByNoiseRate'`: the likely number of errors of each
   * label and class. `'pruneByClass'`: that of each label. `'both'`: the rows of both of these.
   * `'disagreement'`: all rows whose most probable class is another one.
   */
  by?: (typeof WAYS)[number];
  /** Score to sort the issues by, smallest first. Default `'selfConfidence'`. */
  rank?: (typeof RANKS)[number];
  /** Share of the likely errors that the pruning rules take, in [0, 1]. Default 1. */
  share?: number;
  /** Number of rows per label that the pruning rules leave; an integer ≥ 0. Default 1. */
  minPerClass?: number;
}

/** Rows of a data set whose label is likely wrong. */
export interface LabelIssues {
  /** Rows, most suspicious first. */
  rows: Int32Array;
  /** Most probable class of each of these rows. */
  suggested: Int32Array;
  /** Trust in the label of each row of the data set, from 0 to 1, by `rank`. `float64[N]`. */
  scores: Float64Array;
  /** Mean probability of each class over the rows with its label; NaN for a class without rows. */
  thresholds: Float64Array;
  /** Number of rows by label (first index) and confident class (second index). */
  joint: number[][];
}

type OfClasses = LabelIssuesOptions<ArrayLike<number>>;
type OfLabels = LabelIssuesOptions<ArrayLike<ArrayLike<number>>>;
type Read = {probabilities: Tensor2D};
type AtHand = {probabilities: ArrayLike<ArrayLike<number>>};

/**
 * Finds rows whose label is likely wrong, by confident learning.
 *
 *     t_j = mean(p_j over rows labelled j)
 *     row i is confidently j  ⇔  p_ij ≥ t_j;  with several such j, it counts as argmax p_i
 *     issues = rows that are confidently of a class other than their label,
 *              unless their label is the most probable
 *
 * The thresholds compensate for classes of which a model is more or less sure. The probabilities
 * must be those of held-out rows, because a model fits the wrong labels that it was trained on;
 * `crossValidated` computes them.
 *
 * The pruning rules scale the counts of the joint to the number of rows of each label, and take
 * that many rows: those with the largest difference to another class, or with the smallest
 * probability of the label. Of equal probabilities the lower rows are taken; of equal differences
 * all rows are, as in cleanlab.
 *
 * Labels that are not exclusive are handled one by one, each as two classes. The result is then a
 * list with an entry for each label.
 *
 * @param options  `labels`, `probabilities`, `by` (default `'confidentLearning'`), `rank` (default
 *   `'selfConfidence'`), `share` (default 1), `minPerClass` (default 1).
 * @returns `{rows, suggested, scores, thresholds, joint}`, or a list of these for several labels
 *   per row; a promise of it if `probabilities` is a tensor, which is read once and stays the
 *   caller's.
 * @throws RangeError or TypeError if labels are not class numbers, rows of probabilities do not sum
 *   to 1 within 0.001, there are fewer than 2 classes, or no row of a label is confidently of its
 *   own class; as a rejection for a tensor.
 *
 * @example
 * const labels = [0, 0, 0, 1, 1, 1];
 * const probabilities = [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.1, 0.9]];
 * const {rows, suggested, joint} = labelIssues({labels, probabilities});
 * rows;        // Int32Array [2]
 * suggested;   // Int32Array [1]
 * joint;       // [[2, 1], [0, 2]]
 *
 * @see Northcutt, Jiang, Chuang, Confident Learning, JAIR 70, 2021, §3 (arXiv:1911.00068)
 */
export function labelIssues(options: OfClasses & AtHand): LabelIssues;
export function labelIssues(options: OfLabels & AtHand): LabelIssues[];
export function labelIssues(options: OfClasses & Read): Promise<LabelIssues>;
export function labelIssues(options: OfLabels & Read): Promise<LabelIssues[]>;
export function labelIssues(
  options: LabelIssuesOptions = {} as LabelIssuesOptions,
): LabelIssues | LabelIssues[] | Promise<LabelIssues | LabelIssues[]> {
  checkOptionNames(NAME, options, ['labels', 'probabilities', 'by', 'rank', 'share', 'minPerClass']);
  const {labels, probabilities} = options;
  const settings = checkedWay(options);
  if (!isList(labels) || labels.length === 0) throw typeError(NAME, 'labels', 'be a list of labels', labels);
  const found = (table: Table) => {
    if (!isList(labels[0])) return issuesOf(ofClasses(labels as ArrayLike<number>, table), settings);
    const lists = labels as ArrayLike<ArrayLike<number>>;
    // Check all labels before the first result is computed.
    const each = Array.from({length: table.columns}, (_, label) => ofLabel(lists, table, label));
    return each.map((given) => issuesOf(given, settings));
  };
  if (!(probabilities instanceof Tensor)) return found(tableOf(probabilities, labels.length));
  return readTable(probabilities, labels.length).then(found);
}

type Settings = Required<Pick<LabelIssuesOptions, 'by' | 'rank' | 'share' | 'minPerClass'>>;

function checkedWay(options: LabelIssuesOptions): Settings {
  const {by = 'confidentLearning', rank = 'selfConfidence', share = 1, minPerClass = 1} = options;
  checkOneOf(NAME, 'by', by, WAYS);
  checkOneOf(NAME, 'rank', rank, RANKS);
  checkClosedUnitInterval(NAME, 'share', share);
  checkWhole(NAME, 'minPerClass', minPerClass);
  const isPruned = by.startsWith('prune') || by === 'both';
  const without = Object.entries({share: options.share, minPerClass: options.minPerClass});
  const given = without.find(([, value]) => value !== undefined);
  if (!isPruned && given) {
    const remedy = "It needs by: 'pruneByNoiseRate', 'pruneByClass' or 'both'.";
    throw typeError(NAME, given[0], `be left out with by: '${by}'`, given[1], remedy);
  }
  return {by, rank, share, minPerClass};
}

/** A matrix of numbers, row by row. */
interface Table {
  values: Float64Array;
  columns: number;
}

const isList = (value: unknown): value is ArrayLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as ArrayLike<unknown>).length === 'number';

function tableOf(probabilities: ArrayLike<ArrayLike<number>>, rows: number): Table {
  const first = isList(probabilities) ? probabilities[0] : undefined;
  if (!isList(first)) throw typeError(NAME, 'probabilities', 'be lists of numbers or a tensor [N, C]', probabilities);
  if (probabilities.length !== rows) throw notOfRows(rows, `${probabilities.length}`);
  const columns = first.length;
  const values = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const ofRow = probabilities[row] as ArrayLike<number>;
    if (ofRow?.length !== columns) {
      throw typeError(NAME, 'probabilities', `have ${columns} entries in each row`, `${ofRow?.length} in row ${row}`);
    }
    values.set(Array.from(ofRow), row * columns);
  }
  return {values, columns};
}

async function readTable(probabilities: Tensor2D, rows: number): Promise<Table> {
  if ((probabilities as Tensor).rank !== 2) {
    throw typeError(NAME, 'probabilities', 'have shape [N, C]', shapeText(probabilities.shape));
  }
  if (probabilities.shape[0] !== rows) throw notOfRows(rows, `${probabilities.shape[0]}`);
  return {values: Float64Array.from(await probabilities.data()), columns: probabilities.shape[1]};
}

function notOfRows(rows: number, got: string): TypeError {
  return typeError(NAME, 'probabilities', `have ${rows} rows, one for each label`, got);
}

/** Tolerance of the sum of a row's probabilities. */
const SUM_TOLERANCE = 1e-3;

/** Checks the labels of exclusive classes. */
function ofClasses(labels: ArrayLike<number>, {values, columns: classes}: Table): LabelledRows & {of: string} {
  if (classes < 2) {
    const remedy = 'Pass two probabilities per row: [1 − p, p].';
    throw rangeError(NAME, 'probabilities', 'have at least 2 classes', classes, remedy);
  }
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as number;
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw rangeError(NAME, 'labels', `hold integers from 0 to ${classes - 1}`, `${label} at position ${row}`);
    }
    const ofRow = values.subarray(row * classes, (row + 1) * classes);
    checkProbabilities(ofRow, row);
    const sum = ofRow.reduce((total, p) => total + p, 0);
    if (Math.abs(sum - 1) > SUM_TOLERANCE) {
      const remedy = 'Apply tf.softmax to logits; pass labels that are not exclusive as lists of 0 and 1.';
      throw rangeError(NAME, 'probabilities', 'sum to 1 in each row', `${sum} in row ${row}`, remedy);
    }
  }
  return {labels: Int32Array.from(labels), probabilities: values, classes, of: ''};
}

/** Converts one of several labels to two classes. */
function ofLabel(
  labels: ArrayLike<ArrayLike<number>>,
  {values, columns}: Table,
  label: number,
): LabelledRows & {of: string} {
  const [marks, probabilities] = [new Int32Array(labels.length), new Float64Array(2 * labels.length)];
  for (let row = 0; row < labels.length; row++) {
    const ofRow = labels[row] as ArrayLike<number>;
    const mark = ofRow?.[label];
    if (ofRow?.length !== columns || (mark !== 0 && mark !== 1)) {
      const got = ofRow?.length === columns ? `${mark} in row ${row}` : `${ofRow?.length} entries in row ${row}`;
      throw rangeError(NAME, 'labels', `be 0 or 1 for each of ${columns} labels`, got);
    }
    const p = values[row * columns + label] as number;
    checkProbabilities([p], row);
    marks[row] = mark;
    probabilities.set([1 - p, p], 2 * row);
  }
  return {labels: marks, probabilities, classes: 2, of: ` of label ${label}`};
}

function checkProbabilities(ofRow: ArrayLike<number>, row: number): void {
  const wrong = Array.from(ofRow).find((p) => !(p >= -SUM_TOLERANCE && p <= 1 + SUM_TOLERANCE));
  if (wrong !== undefined) throw rangeError(NAME, 'probabilities', 'be from 0 to 1', `${wrong} in row ${row}`);
}

function issuesOf(given: LabelledRows & {of: string}, settings: Settings): LabelIssues {
  const {labels, probabilities, classes} = given;
  const {thresholds, guesses, counts} = confidentJoint(given);
  checkGuessed(given, counts);
  const chosen = chosenRows(given, settings, guesses, counts);
  const scores = Float64Array.from(labels, (_, row) => scoreOf(given, settings.rank, row));
  const suggestedOf = (row: number) => largestOf(probabilities.subarray(row * classes, (row + 1) * classes));
  const rows = [...chosen]
    .filter((row) => !isMostProbable(given, row))
    .sort((a, b) => (scores[a] as number) - (scores[b] as number) || a - b);
  return {
    ...{rows: Int32Array.from(rows), suggested: Int32Array.from(rows, suggestedOf)},
    ...{scores, thresholds, joint: counts},
  };
}

/** Rejects classes without a confident row, because all rows with their label would be issues. */
function checkGuessed({of}: {of: string}, counts: number[][]): void {
  const label = counts.findIndex((ofLabel, j) => ofLabel[j] === 0 && ofLabel.some((count) => count > 0));
  if (label < 0) return;
  const constraint = 'confidently assign some row of each class to it';
  const remedy = 'The model has not learned the class: train longer, or leave out its rows.';
  throw rangeError(NAME, 'probabilities', constraint, `none of class ${label}${of}`, remedy);
}

/** Whether the label of a row is its most probable class, or tied for it. */
function isMostProbable({labels, probabilities, classes}: LabelledRows, row: number): boolean {
  const label = labels[row] as number;
  const own = (probabilities[row * classes + label] as number) + 1e-6;
  return largestOther(probabilities.subarray(row * classes, (row + 1) * classes), label) < own;
}

function scoreOf({labels, probabilities, classes}: LabelledRows, rank: Settings['rank'], row: number): number {
  const label = labels[row] as number;
  const p = probabilities.subarray(row * classes, (row + 1) * classes);
  const own = p[label] as number;
  return rank === 'selfConfidence' ? own : (own - largestOther(p, label) + 1) / 2;
}

function largestOther(p: Float64Array, label: number): number {
  return p.reduce((most, value, j) => (j === label ? most : Math.max(most, value)), Number.NEGATIVE_INFINITY);
}

function chosenRows(
  given: LabelledRows,
  settings: Settings,
  guesses: Int32Array,
  counts: number[][],
): Iterable<number> {
  const {labels} = given;
  const all = [...labels.keys()];
  if (settings.by === 'disagreement') return all;
  if (settings.by === 'confidentLearning') {
    return all.filter((row) => (guesses[row] as number) >= 0 && guesses[row] !== labels[row]);
  }
  const rowsOf = counts.map(() => [] as number[]);
  for (const [row, label] of labels.entries()) (rowsOf[label] as number[]).push(row);
  const ofLabels = rowsOf.map((rows) => rows.length);
  const joint = pruned(calibrated(counts, ofLabels), settings);
  const mayPrune = (rows: number[]) => rows.length > Math.max(settings.minPerClass, 1);
  const byClass = rowsOf.filter(mayPrune).flatMap((rows) => leastConfident(given, rows, joint));
  if (settings.by === 'pruneByClass') return byClass;
  const byRate = new Set(rowsOf.filter(mayPrune).flatMap((rows) => farthest(given, rows, joint)));
  return settings.by === 'both' ? byClass.filter((row) => byRate.has(row)) : byRate;
}

/**
 * Computes the numbers of rows to prune, as integers: a share of the counts off the diagonal, after
 * the diagonal has its minimum. The remainder moves to the diagonal.
 */
function pruned(joint: number[][], {share, minPerClass}: Settings): number[][] {
  return joint.map((ofLabel, label) => {
    const own = Math.max(ofLabel[label] as number, minPerClass);
    const others = Math.max(ofLabel.filter((count) => count !== 0).length - 1, 1);
    const taken = (own - (ofLabel[label] as number)) / others;
    const left = ofLabel.map((count, j) => (j === label ? 0 : Math.max(count - taken, 0)));
    const spared = (1 - share) * left.reduce((sum, count) => sum + count, 0);
    return left.map((count, j) => Math.trunc(j === label ? own + spared : share * count));
  });
}

/**
 * The rows of a label with the smallest probability of it, except the number of likely right ones.
 */
function leastConfident({labels, probabilities, classes}: LabelledRows, rows: number[], joint: number[][]): number[] {
  const label = labels[rows[0] as number] as number;
  const own = (row: number) => probabilities[row * classes + label] as number;
  const count = Math.max(0, rows.length - ((joint[label] as number[])[label] as number));
  return [...rows].sort((a, b) => own(a) - own(b) || a - b).slice(0, count);
}

/** The rows of a label that lean most towards each other class, by the number of likely errors. */
function farthest({labels, probabilities, classes}: LabelledRows, rows: number[], joint: number[][]): number[] {
  const label = labels[rows[0] as number] as number;
  return (joint[label] as number[]).flatMap((count, j) => {
    if (j === label || count === 0) return [];
    const lead = (row: number) =>
      (probabilities[row * classes + j] as number) - (probabilities[row * classes + label] as number);
    const last = rows.map(lead).sort((a, b) => b - a)[count - 1] as number;
    return rows.filter((row) => lead(row) >= last);
  });
}
