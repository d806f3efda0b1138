import {checkOptionNames} from '../checks';
import {RETRIEVAL_OPTIONS, type RetrievalMetric, type RetrievalOptions, retrievalMetric} from './neighbours';

const NAME = 'precisionAt1';

/**
 * Measures the share of queries whose nearest neighbour has their class.
 *
 *     P@1 = share of the queries whose nearest row is a hit
 *
 * The same number as `recallAtK({k: 1})`.
 *
 * The search runs on the device, several queries at a time. Queries whose class has no other row do
 * not count; without any query the value is 0. A row that is not finite is never a hit, and as a
 * query it has no hits.
 *
 * As a metric of `model.compile({metrics})` it is computed within each batch, so set the validation
 * batch size to the number of all validation rows.
 *
 * @param options  `reference` (rows to search; default: the other rows); `distance` (default
 *   `'euclidean'`), `normalize`.
 * @returns a metric, `(int32[B], float32[B, D]) → float32[]`.
 * @throws RangeError or TypeError for a wrong option (when it is built); TypeError if `yTrue` is
 *   not `int32[B]` or `yPred` not `float32[B, D]` (when it is called).
 *
 * @example
 * const labels = tf.tensor1d([0, 0, 1, 1], 'int32');
 * precisionAt1({normalize: false})(labels, tf.tensor2d([[0], [1], [2], [4]])).dataSync();   // Float32Array [0.75]
 *
 * @see Musgrave, Belongie, Lim, A Metric Learning Reality Check, 2020, §3.2 (arXiv:2003.08505)
 */
export function precisionAt1(options: RetrievalOptions = {}): RetrievalMetric {
  checkOptionNames(NAME, options, RETRIEVAL_OPTIONS);
  return retrievalMetric(NAME, options, 1, ({hits}) => hits);
}
