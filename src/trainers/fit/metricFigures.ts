/** @file The value of a metric over the rows and labels that count. */

import {
  any,
  cast,
  where as chooseEach,
  div,
  fill,
  maximum,
  mean,
  mul,
  reshape,
  type Scalar,
  scalar,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {livesInMainMemory} from '../../checks';
import {asFloat} from '../../losses/formula';
import {takeRows} from '../../rows';
import type {CompiledMetric, Metric} from './compiledMetrics';

/**
 * A metric of a batch, and the number of rows in its mean. A type alias, because `tf.tidy` does not
 * accept interfaces.
 */
export type Figure = {value: Scalar; count: Scalar};

/** A figure of a metric; `isOfZeros` if it got zeros in place of what does not count. */
type MetricFigure = Figure & {isOfZeros?: boolean};

/** The masks of an output; undefined if everything counts. */
export interface Counted {
  /** Over rows, `bool[rows]`, or their entries, `bool[rows, …]`. */
  entries: Tensor | undefined;
  /** Over the binary labels of an output, `bool` in the shape of the predictions. */
  labels: Tensor | undefined;
}

/**
 * Computes a metric over what counts. A metric that returns one number for the batch gets only the
 * rows that count, or the labels.
 */
export function metricFigure(
  {metric, kind}: CompiledMetric,
  yTrue: Tensor,
  yPred: Tensor,
  {entries, labels}: Counted,
): MetricFigure {
  if (!labels || kind === undefined) return figureOfRows(metric, yTrue, yPred, entries);
  const truth = asFloat(reshape(yTrue, labels.shape));
  // An ignored label, such as 255, must not reach the metric, which may check its labels.
  const only = (tensor: Tensor, other: number) => chooseEach(labels, tensor, fill(labels.shape, other));
  if (typeof kind === 'number') return figureOfRows(metric, only(truth, kind), only(yPred, kind), entries);
  const size = labels.size;
  const flat = [only(truth, 0), yPred].map((tensor) => reshape(tensor, [size, 1])) as [Tensor, Tensor];
  const {count, ...figure} = figureOfRows(metric, ...flat, reshape(labels, [size]));
  // A row with few labels counts as a fraction of one.
  return {...figure, count: mul(count, (yPred.shape[0] as number) / size)};
}

function figureOfRows(metric: Metric, yTrue: Tensor, yPred: Tensor, counted: Tensor | undefined): MetricFigure {
  const rows = yPred.shape[0] as number;
  const values = metric(yTrue, yPred);
  const isByRow = values.rank > 0 && values.shape[0] === rows;
  if (!counted || isByRow) return meanOf(values, counted, rows);
  const marks = ofRows(counted, rows);
  const count = sum<Scalar>(cast(marks, 'float32'));
  if (!livesInMainMemory()) {
    // Precision and recall do not count rows of zeros.
    const only = (tensor: Tensor) => chooseEach(reshape(marks, sameRank([rows], tensor)), tensor, zerosLike(tensor));
    return {value: mean<Scalar>(metric(only(yTrue), only(yPred))), count, isOfZeros: true};
  }
  const places = Array.from(marks.dataSync()).flatMap((isCounted, row) => (isCounted ? [row] : []));
  if (places.length === 0) return {value: scalar(0), count};
  const taken = tensor1d(places, 'int32');
  return {value: mean<Scalar>(metric(takeRows(yTrue, taken), takeRows(yPred, taken))), count};
}

/** Returns the mean of values `[rows, …]` over the mask, and the number of rows in it. */
export function meanOf(values: Tensor, counted: Tensor | undefined, rows = values.shape[0] as number): Figure {
  if (!counted) return {value: mean<Scalar>(values), count: scalar(rows)};
  const marks = values.size === counted.size ? reshape(counted, values.shape) : ofRows(counted, rows);
  const fitting = reshape(marks, sameRank(marks.shape, values));
  const total = sum<Scalar>(chooseEach(fitting, values, zerosLike(values)));
  const marked = sum<Scalar>(cast(marks, 'float32'));
  const perMark = values.size / marks.size;
  return {value: div(total, maximum(mul(marked, perMark), 1)), count: mul(marked, rows / marks.size)};
}

/** Reduces a mask to rows, `[rows, …] → [rows]`: whether any entry of the row counts. */
function ofRows(counted: Tensor, rows: number): Tensor1D {
  return counted.rank === 1 ? (counted as Tensor1D) : any(reshape(counted, [rows, counted.size / rows]), 1);
}

/** Pads a shape with ones to the rank of a tensor. */
export function sameRank(shape: number[], {rank}: Tensor): number[] {
  return [...shape, ...Array.from({length: rank - shape.length}, () => 1)];
}
