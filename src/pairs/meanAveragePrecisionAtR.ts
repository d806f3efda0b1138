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
 * Measures how early the rows of a query's class appear among its nearest neighbours.
 *
 *     MAP@R = mean over the queries of (1/R) Σ_{i ≤ R} hit_i · precision@i
 *
 * `R` is the number of other rows of the query's class, so 1 means that all of them come first. It
 * still separates embeddings whose recall@1 is near 1.
 *
 * The search runs on the device, several queries at a time. Queries whose class has no other row do
 * not count; without any query the value is 0. A row that is not finite is never a hit, and as a
 * query it has no hits.
 *
 * As a metric of `model.compile({metrics})` it is computed within each batch, so set the validation
 * batch size to the number of all validation rows.
 *
 * On a GPU it sorts all rows for each query, because the class sizes would need a read.
 *
 * @param options  `reference` (rows to search; default: the other rows); `distance` (default
 *   `'euclidean'`), `normalize`.
 * @returns a metric, `(int32[B], float32[B, D]) → float32[]`.
 * @throws RangeError or TypeError for a wrong option (when it is built); TypeError if `yTrue` is
 *   not `int32[B]` or `yPred` not `float32[B, D]` (when it is called).
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
