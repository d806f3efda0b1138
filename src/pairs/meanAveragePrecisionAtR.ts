import {add, cumsum, div, maximum, mul, range, step, sub, sum, type Tensor2D} from '@tensorflow/tfjs-core';
import {checkOptionNames} from '../checks';
import {
  type Neighbours,
  RETRIEVAL_OPTIONS,
  type RetrievalMetric,
  type RetrievalOptions,
  retrievalMetric,
} from './neighbours';

const NAME = 'meanAveragePrecisionAtR';

/**
 * Measures how well the rows of a class come first among the neighbours of one another.
 *
 *     MAP@R = mean over the queries of (1/R) Σ_{i ≤ R} hit_i · precision@i
 *
 * `R` is the number of rows that the query has to find, so that 1 means: all of them, before any
 * other. Recall@1 may be near 1 long before; this number goes on telling embeddings apart.
 *
 * Neighbours are looked for some queries at a time, on the device. Queries whose class has no other
 * row do not count; without any query the value is 0. A row that is not finite is found by none and
 * finds none.
 *
 * The metric may be given to `model.compile({metrics})`. There it is computed for each batch among
 * the rows of that batch, so set the batch size of the validation to all of its rows.
 *
 * On a GPU, all rows are sorted for each query, because the size of the classes would have to be read.
 *
 * @param options  `reference` (rows to find; default: the other rows); `distance` (default
 *   `'euclidean'`), `normalize`.
 * @returns a metric, `(int32[B], float32[B, D]) → float32[]`.
 * @throws RangeError or TypeError for a wrong option (when it is built); TypeError if `yTrue` is not
 *   `int32[B]` or `yPred` not `float32[B, D]` (when it is called).
 *
 * @example
 * const labels = tf.tensor1d([0, 0, 1, 1], 'int32');
 * const measure = meanAveragePrecisionAtR({normalize: false});
 * measure(labels, tf.tensor2d([[0], [1], [2], [4]])).dataSync();   // Float32Array [0.75]
 *
 * @see Musgrave, Belongie, Lim, A Metric Learning Reality Check, 2020, §3.2 (arXiv:2003.08505)
 */
export function meanAveragePrecisionAtR(options: RetrievalOptions = {}): RetrievalMetric {
  checkOptionNames(NAME, options, RETRIEVAL_OPTIONS);
  return retrievalMetric(NAME, options, undefined, averagePrecision);
}

function averagePrecision({hits, relevant}: Neighbours): Tensor2D {
  const places = range(0, hits.shape[1]);
  const precision = div(cumsum(hits, 1), add(places, 1));
  const isWithin = step(sub(relevant, places));
  return div(sum(mul(mul(hits, precision), isWithin), 1, true), maximum(relevant, 1));
}
