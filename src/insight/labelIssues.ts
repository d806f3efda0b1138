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
   * A class number for each row; or, for labels that do not exclude one another, a list of 0 and 1 for each row, one for
   * each label.
   */
  labels: Labels;
  /**
   * `[N, C]`: how probable each class is for each row, by a model that was not trained on the row, as of
   * `crossValidated`. For several labels a row, how probable each of them is.
   */
  probabilities: ArrayLike<ArrayLike<number>> | Tensor2D;
  /**
   * Which rows are issues: those confidently of another class (`'confidentLearning'`, the default); as many of each label
   * and class as are likely wrong (`'pruneByNoiseRate'`); as many of each label (`'pruneByClass'`); those by `'both'` of
   * these; or all whose most probable class is another (`'disagreement'`).
   */
  by?: (typeof WAYS)[number];
  /** What the issues are sorted by, smallest first. Default `'selfConfidence'`. */
  rank?: (typeof RANKS)[number];
  /** The share of the likely issues that the ways to prune take, in [0, 1]. Default 1. */
  share?: number;
  /** How many rows of each label the ways to prune leave; an integer ≥ 0. Default 1. */
  minPerClass?: number;
}

/** The rows of a data set whose label is likely wrong. */
export interface LabelIssues {
  /** These rows, the most suspicious first. */
  rows: Int32Array;
  /** The most probable class of each of them. */
  suggested: Int32Array;
  /** How far the label of each row of the data set can be trusted, from 0 to 1: what `rank` says. `float64[N]`. */
  scores: Float64Array;
  /** The mean probability of each class over the rows that have its label; NaN for a class without rows. */
  thresholds: Float64Array;
  /** Of the rows that have a label (first index), how many are confidently of a class (second index). */
  joint: number[][];
}

type OfClasses = LabelIssuesOptions<ArrayLike<number>>;
type OfLabels = LabelIssuesOptions<ArrayLike<ArrayLike<number>>>;
type Read = {probabilities: Tensor2D};
type AtHand = {probabilities: ArrayLike<ArrayLike<number>>};

/**
 * Finds rows whose label is likely wrong, by confident learning: what a model predicts of rows that it was not trained on.
 *
 *     t_j = mean(p_j over rows labelled j),   row i is confidently j  ⇔  p_ij ≥ t_j  (of several such j the most probable)
 *     issues = rows that are confidently of a class other than their label, unless their label is the most probable
 *
 * The thresholds make up for classes that a model is more or less sure of. The probabilities must be those of rows that
 * were held out, since a model that has seen a wrong label has learned it; `crossValidated` computes them. The ways to
 * prune scale the counts of the joint to the number of rows of each label and take as many rows as these say, those with
 * the largest difference to another class, or with the smallest probability of the label. Ties go to the lower row.
 *
 * Labels that do not exclude one another are judged one by one, each as two classes. The result is then a list, with an
 * entry for each label.
 *
 * @param options  `labels`, `probabilities`, `by` (default `'confidentLearning'`), `rank` (default `'selfConfidence'`),
 *   `share` (default 1), `minPerClass` (default 1).
 * @returns `{rows, suggested, scores, thresholds, joint}`, or a list of these for several labels a row; a promise of it if
 *   `probabilities` is a tensor, which is read once and stays yours.
 * @throws RangeError or TypeError if labels are no class numbers, rows of probabilities do not sum to 1 within 0.001, there
 *   are fewer than 2 classes, or no row of a label is confidently of its own class; as a rejection for a tensor.
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
    // All of them are checked before the first is judged.
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
    const remedy = "They are for by: 'pruneByNoiseRate', 'pruneByClass' and 'both'.";
    throw typeError(NAME, given[0], `be left out with by: '${by}'`, given[1], remedy);
  }
  return {by, rank, share, minPerClass};
}

/** Numbers in rows and columns. */
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

/** How far the probabilities of a row may be from a sum of 1. */
const SUM_TOLERANCE = 1e-3;

/** Checks labels of classes that exclude one another. */
function ofClasses(labels: ArrayLike<number>, {values, columns: classes}: Table): LabelledRows & {of: string} {
  if (classes < 2) {
    const remedy = 'Of one probability a row make two: [1 − p, p].';
    throw rangeError(NAME, 'probabilities', 'be of at least 2 classes', classes, remedy);
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
      const remedy = 'Take tf.softmax of logits; give labels that do not exclude one another as lists of 0 and 1.';
      throw rangeError(NAME, 'probabilities', 'sum to 1 in each row', `${sum} in row ${row}`, remedy);
    }
  }
  return {labels: Int32Array.from(labels), probabilities: values, classes, of: ''};
}

/** Takes one of several labels as two classes. */
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

/** Refuses labels that no row has with confidence: all rows that have them would be issues. */
function checkGuessed({of}: {of: string}, counts: number[][]): void {
  const label = counts.findIndex((ofLabel, j) => ofLabel[j] === 0 && ofLabel.some((count) => count > 0));
  if (label < 0) return;
  const constraint = 'be such that some row of each class is confidently of it';
  const remedy = 'The model has not learned the class: train longer, or leave out its rows.';
  throw rangeError(NAME, 'probabilities', constraint, `none of class ${label}${of}`, remedy);
}

/** Whether the label of a row is its most probable class, also among equal ones. */
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
 * What is to be pruned of a joint, in integers: a share of the counts off the diagonal, once the diagonal has its least
 * number. The rest of them joins the diagonal.
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

/** The rows of a label with the smallest probability of it, all but as many as are likely right. */
function leastConfident({labels, probabilities, classes}: LabelledRows, rows: number[], joint: number[][]): number[] {
  const label = labels[rows[0] as number] as number;
  const own = (row: number) => probabilities[row * classes + label] as number;
  const count = Math.max(0, rows.length - ((joint[label] as number[])[label] as number));
  return [...rows].sort((a, b) => own(a) - own(b) || a - b).slice(0, count);
}

/** For each other class the rows of a label that lie farthest on its side, as many as are likely of it. */
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
