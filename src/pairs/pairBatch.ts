/** @file The batch that miners and losses use: distances, and masks of positives and negatives. */

import {
  abs,
  add,
  cast,
  concat,
  fill,
  floor,
  isFinite as isFiniteTensor,
  logicalAnd,
  mul,
  range,
  relu,
  reshape,
  step,
  sub,
  sum,
  Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor2d,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {checkValues, livesInMainMemory, typeError} from '../checks';
import {distancesBetween, isSameSpace, type Space, type Vectors, vectorsOf} from './distances';

/** Bound of labels: float32 is not exact for all larger integers. */
const TOO_LARGE = 2 ** 24;

/** Larger than every distance; added to distances, it excludes columns from a minimum. */
export const FAR = 1e38;

/** Rows with labels. */
export interface LabelledRows {
  embeddings: Tensor2D;
  /** `float32[B]`. */
  labels: Tensor1D;
}

/** The positives of each anchor in `P` slots. A type alias, so that `tf.tidy` accepts it. */
export type Slots = {
  /** `int32[B, P]`, the column of each positive. */
  columns: Tensor2D;
  /** `float32[B, P]`; 0 marks an unused slot. */
  marks: Tensor2D;
};

/** A batch of `B` anchors, compared with `R` rows: one another, or a reference. */
export interface PairBatch {
  name: string;
  space: Space;
  anchors: Vectors;
  /** The rows that anchors are compared with; the anchors themselves without a reference. */
  others: Vectors;
  isOwn: boolean;
  /** `float32[B, R]`, smaller is nearer. */
  distances: Tensor2D;
  /** `float32[B, R]`, 1 for another row with the anchor's label. */
  positives: Tensor2D;
  /** `float32[B, R]`, 1 for a row with another label. */
  negatives: Tensor2D;
  /** `bool[B]`, rows with a label and finite numbers. */
  known: Tensor1D;
  step: number;
}

/** Checks embeddings and labels, and converts labels to `float32[B]`. */
export function labelledRows(
  name: string,
  yTrue: Tensor,
  yPred: Tensor,
  [ofLabels, ofEmbeddings]: readonly [string, string] = ['labels', 'embeddings'],
): LabelledRows {
  if (!(yPred instanceof Tensor && yPred.rank === 2 && yPred.dtype === 'float32' && yPred.size > 0)) {
    const remedy = 'Pass one embedding for each row.';
    throw typeError(name, ofEmbeddings, 'be float32[B, D]', yPred, remedy);
  }
  return {embeddings: yPred as Tensor2D, labels: labelsOf(name, ofLabels, yTrue, yPred.shape[0] as number)};
}

/** Checks labels `int32[B]` or `[B, 1]`, and converts them to `float32[B]`. */
function labelsOf(name: string, argument: string, yTrue: Tensor, batchSize?: number): Tensor1D {
  const labels = markedLabelsOf(name, argument, yTrue, batchSize);
  const remedy = 'Number the classes from 0.';
  checkValues(name, argument, 'hold integers between -2^24 and 2^24', yTrue, isLabel, remedy);
  return labels;
}

/** Whether a label is an integer that float32 represents exactly. */
export const isLabel = (label: number): boolean => Number.isInteger(label) && Math.abs(label) < TOO_LARGE;

/** Converts labels as {@link labelledRows} does, but accepts NaN for rows without a label. */
export function markedLabelsOf(
  name: string,
  argument: string,
  yTrue: Tensor,
  batchSize = yTrue?.shape?.[0] ?? 1,
): Tensor1D {
  const isColumn = yTrue instanceof Tensor && (yTrue.rank === 1 || (yTrue.rank === 2 && yTrue.shape[1] === 1));
  if (!(isColumn && yTrue.size === batchSize && ['int32', 'float32'].includes(yTrue.dtype))) {
    const remedy = 'Pass one class for each row; for one-hot labels pass tf.argMax(labels, 1).';
    throw typeError(name, argument, `be int32[${batchSize}]`, yTrue, remedy);
  }
  return cast(reshape(yTrue, [batchSize]), 'float32');
}

/** The range of columns that are the anchors themselves. */
interface Own {
  from: number;
  count: number;
}

const NONE: Own = {from: 0, count: 0};

/**
 * Compares the rows of a batch with one another or with a reference.
 *
 * @param reference  rows to compare with; its rows `own` are the batch itself, so that no row is
 *   its own positive.
 */
export function pairBatch(
  name: string,
  space: Space,
  batch: LabelledRows,
  {reference, own = NONE, step: steps = 0}: {reference?: LabelledRows | undefined; own?: Own; step?: number} = {},
): PairBatch {
  if (reference) checkWidth(name, reference.embeddings, batch.embeddings);
  const anchors = vectorsOf(space, batch.embeddings);
  const others = reference ? vectorsOf(space, reference.embeddings) : anchors;
  const isOwn = reference === undefined;
  const [known, knownOthers] = [knownRows(anchors, batch.labels), reference && knownRows(others, reference.labels)];
  return {
    name,
    space,
    anchors,
    others,
    isOwn,
    distances: distancesBetween(space, anchors.rows, others.rows),
    ...sides(
      batch.labels,
      reference?.labels ?? batch.labels,
      known,
      knownOthers ?? known,
      isOwn ? {from: 0, count: batch.labels.size} : own,
    ),
    known,
    step: steps,
  };
}

function checkWidth(name: string, reference: Tensor2D, {shape: [, width]}: Tensor2D): void {
  if (reference.shape[1] === width) return;
  throw typeError(name, 'reference.embeddings', `have the width of the embeddings, ${width}`, reference);
}

/**
 * Masks the anchors that have a positive, and those that have a negative, by labels alone:
 * `float32[B, 1]`.
 *
 * @param past  labels of further rows that anchors are compared with.
 */
export function hasSides(labels: Tensor1D, past: Tensor1D | undefined): {positive: Tensor2D; negative: Tensor2D} {
  const others = past ? concat([labels, past]) : labels;
  const own = {from: 0, count: labels.size};
  const {positives, negatives} = sides(labels, others, isLabelled(labels), isLabelled(others), own);
  return {positive: step(sum(positives, 1, true)), negative: step(sum(negatives, 1, true))};
}

/** Converts a batch to another distance. */
export function inSpace(batch: PairBatch, space: Space, embeddings: Tensor2D, reference?: Tensor2D): PairBatch {
  if (isSameSpace(batch.space, space)) return batch;
  const anchors = vectorsOf(space, embeddings);
  const others = batch.isOwn ? anchors : vectorsOf(space, reference as Tensor2D);
  return {...batch, space, anchors, others, distances: distancesBetween(space, anchors.rows, others.rows)};
}

function knownRows({finite}: Vectors, labels: Tensor1D): Tensor1D {
  return logicalAnd(reshape(finite, [-1]), isLabelled(labels)) as Tensor1D;
}

/** Masks labels that are integers; in production other labels are not rejected earlier. */
function isLabelled(labels: Tensor1D): Tensor1D {
  const whole = logicalAnd(isFiniteTensor(labels), isFiniteTensor(sub(labels, labels)));
  const safe = where(whole, labels, zerosLike(labels));
  const offBy = add(abs(sub(safe, floor(safe))), relu(sub(abs(safe), TOO_LARGE - 1)));
  return logicalAnd(whole, cast(sub(1, step(offBy)), 'bool')) as Tensor1D;
}

/**
 * Computes the masks of positives and negatives.
 *
 * Uses sums, because on wasm a broadcast comparison takes as long as seven matrix products.
 */
function sides(
  labels: Tensor1D,
  others: Tensor1D,
  known: Tensor1D,
  knownOthers: Tensor1D,
  own: Own,
): Pick<PairBatch, 'positives' | 'negatives'> {
  const [rows, columns] = [labels.size, others.size];
  const apart = (one: Tensor1D, other: Tensor1D): Tensor2D =>
    step(abs(sub(reshape(one, [rows, 1]), reshape(other, [1, columns]))));
  const safe = (values: Tensor1D, marks: Tensor1D) => where(marks, values, zerosLike(values)) as Tensor1D;
  const different = apart(safe(labels, known), safe(others, knownOthers));
  const isOther = own.count > 0 ? apart(range(0, rows), placesOf(columns, own)) : 1;
  const positives = mul<Tensor2D>(sub(1, different), isOther);
  if (areAll(known) && areAll(knownOthers)) return {positives, negatives: different};
  const asNumbers = (marks: Tensor1D) => mul(cast(marks, 'float32'), 1);
  const both = mul(reshape(asNumbers(known), [rows, 1]), reshape(asNumbers(knownOthers), [1, columns]));
  return {positives: mul(positives, both), negatives: mul(different, both)};
}

/** Whether all entries of a mask are known to be set. */
function areAll(marks: Tensor1D): boolean {
  return livesInMainMemory() && marks.dataSync().every((mark) => Number(mark) !== 0);
}

/** The index of the anchor in each column; −1 if the column holds none. */
function placesOf(columns: number, {from, count}: Own): Tensor1D {
  const noneIn = (size: number): Tensor1D[] => (size === 0 ? [] : [fill([size], -1)]);
  return concat([...noneIn(from), range(0, count) as Tensor1D, ...noneIn(columns - from - count)]);
}

/** Counts the other rows with the label of each query, by labels alone: `float32[Q, 1]`. */
export function relevantOf(labels: Tensor1D, others: Tensor1D, own: Own | undefined): Tensor2D {
  const {positives} = sides(labels, others, isLabelled(labels), isLabelled(others), own ?? NONE);
  return sum(positives, 1, true);
}

/**
 * Packs the positives of each anchor into slots.
 *
 * If values may be read, the number of slots is the largest number of positives of an anchor; on a
 * GPU there is one slot per column.
 */
export function positiveSlots(positives: Tensor2D): Slots {
  const [rows, columns] = positives.shape;
  if (!livesInMainMemory()) {
    const all = add<Tensor2D>(zerosLike(positives), range(0, columns));
    return {columns: cast(all, 'int32'), marks: positives};
  }
  const marks = positives.dataSync();
  const places = Array.from({length: rows}, () => [] as number[]);
  for (let i = 0; i < marks.length; i++) if (marks[i] !== 0) places[Math.floor(i / columns)]?.push(i % columns);
  const width = Math.max(1, ...places.map(({length}) => length));
  const [taken, counts] = [new Int32Array(rows * width), new Float32Array(rows * width)];
  for (const [row, ofRow] of places.entries()) {
    taken.set(ofRow, row * width);
    counts.fill(1, row * width, row * width + ofRow.length);
  }
  return {columns: tensor2d(taken, [rows, width], 'int32'), marks: tensor2d(counts, [rows, width])};
}
