/** @file Nearest neighbours of embeddings, several queries at a time, and their hits. */

import {
  add,
  concat,
  div,
  maximum,
  mul,
  neg,
  type Scalar,
  slice,
  step,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  tidy,
} from '@tensorflow/tfjs-core';
import {livesInMainMemory} from '../checks';
import {offTape} from '../engine';
import {largestFirst} from '../rows';
import {DISTANCE_OPTIONS, type DistanceOptions, type Space, spaceOf} from './distances';
import {FAR, type LabelledRows, labelledRows, pairBatch, relevantOf} from './pairBatch';
import {valuesAt} from './pairMasks';

/** Options of a retrieval metric. */
export interface RetrievalOptions extends DistanceOptions {
  /** Rows to search for neighbours. Default: the other rows of the batch. */
  reference?: {embeddings: Tensor; labels: Tensor};
}

/** The names of {@link RetrievalOptions}. */
export const RETRIEVAL_OPTIONS = ['reference', ...DISTANCE_OPTIONS] as const;

/** Metric of labels `int32[B]` and embeddings `float32[B, D]`, `float32[]`; also a tfjs metric. */
export type RetrievalMetric = (yTrue: Tensor, yPred: Tensor) => Scalar;

/** The neighbours of some queries. */
export interface Neighbours {
  /** `float32[Q, k]`, 1 for a neighbour with the label of the query, nearest first. */
  hits: Tensor2D;
  /** `float32[Q, 1]`, the number of other rows with the label of the query. */
  relevant: Tensor2D;
}

/** Number of distances in one tensor: 8 MB. */
const AT_ONCE = 2 ** 21;

/**
 * Builds the mean of a figure over all queries whose class has another row.
 *
 * @param count  number of neighbours that the figure needs; undefined for the number of relevant
 *   rows of each query.
 * @param figure  the figure of some queries, `float32[Q, 1]`.
 */
export function retrievalMetric(
  name: string,
  options: RetrievalOptions,
  count: number | undefined,
  figure: (found: Neighbours) => Tensor2D,
): RetrievalMetric {
  const space = spaceOf(name, options, 'euclidean');
  const {reference} = options;
  const measure: RetrievalMetric = (yTrue, yPred) =>
    offTape(() =>
      tidy(() => {
        const batch = labelledRows(name, yTrue, yPred, ['yTrue', 'yPred']);
        const others = reference && labelledRows(name, reference.labels, reference.embeddings, OF_REFERENCE);
        const size = Math.max(1, Math.floor(AT_ONCE / (others ?? batch).labels.size));
        const parts: Tensor2D[] = [];
        for (let from = 0; from < batch.labels.size; from += size) {
          const queries = Math.min(size, batch.labels.size - from);
          parts.push(tidy(() => counted(neighbours({name, space, batch, others, from, queries}, count), figure)));
        }
        const [total, queries] = [0, 1].map((column) => sum(slice(concat(parts), [0, column], [-1, 1])));
        return div(total as Tensor, maximum(queries as Tensor, 1)) as Scalar;
      }),
    );
  return named(name, measure);
}

const OF_REFERENCE = ['reference.labels', 'reference.embeddings'] as const;

/** Sets the name under which tfjs logs a metric. */
export function named<T extends object>(name: string, metric: T): T {
  return Object.defineProperty(metric, 'name', {value: name});
}

/** The figure of each counting query, and a mask of these queries, `float32[Q, 2]`. */
function counted(found: Neighbours, figure: (found: Neighbours) => Tensor2D): Tensor2D {
  const isQuery = step(found.relevant);
  return concat([mul(figure(found), isQuery), isQuery], 1) as Tensor2D;
}

interface Search {
  name: string;
  space: Space;
  batch: LabelledRows;
  others: LabelledRows | undefined;
  from: number;
  queries: number;
}

/** Finds the nearest rows of some queries; rows that are not finite neither find nor are found. */
function neighbours({name, space, batch, others, from, queries}: Search, count: number | undefined): Neighbours {
  const asked = {
    embeddings: slice(batch.embeddings, [from, 0], [queries, -1]),
    labels: slice(batch.labels, from, queries),
  };
  const own = others ? undefined : {from, count: queries};
  const reference = others ?? batch;
  const {distances, positives, negatives} = pairBatch(name, space, asked, {reference, ...(own && {own})});
  const relevant = relevantOf(asked.labels, reference.labels, own);
  const most = count ?? (livesInMainMemory() ? Math.max(1, ...relevant.dataSync()) : reference.labels.size);
  const away = mul(sub(1, add(positives, negatives)), FAR);
  const nearest = largestFirst(neg<Tensor2D>(add(distances, away)), Math.min(most, reference.labels.size)).indices;
  return {hits: valuesAt(positives, nearest), relevant};
}
