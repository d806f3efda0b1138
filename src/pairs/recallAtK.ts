import {max} from '@tensorflow/tfjs-core';
import {checkCount, checkOptionNames} from '../checks';
import {named, RETRIEVAL_OPTIONS, type RetrievalMetric, type RetrievalOptions, retrievalMetric} from './neighbours';

const NAME = 'recallAtK';

export interface RecallAtKOptions extends RetrievalOptions {
  /** Number of nearest neighbours to search; an integer ≥ 1. Default 1. */
  k?: number;
}

/**
 * Measures the share of queries with a row of their class among their nearest neighbours.
 *
 *     R@k = share of the queries with a hit among their k nearest rows
 *
 * Papers on metric learning call this recall: one hit is enough.
 *
 * The search runs on the device, several queries at a time. Queries whose class has no other row do
 * not count; without any query the value is 0. A row that is not finite is never a hit, and as a
 * query it has no hits.
 *
 * As a metric of `model.compile({metrics})` it is computed within each batch, so set the validation
 * batch size to the number of all validation rows. It is logged as `recallAt1`, `recallAt5`, ….
 *
 * @param options  `k`, `reference` (rows to search; default: the other rows); `distance` (default
 *   `'euclidean'`), `normalize`.
 * @returns a metric, `(int32[B], float32[B, D]) → float32[]`.
 * @throws RangeError or TypeError for a wrong option (when it is built); TypeError if `yTrue` is
 *   not `int32[B]` or `yPred` not `float32[B, D]` (when it is called).
 *
 * @example
 * const labels = tf.tensor1d([0, 0, 1, 1], 'int32');
 * recallAtK({k: 1, normalize: false})(labels, tf.tensor2d([[0], [1], [2], [4]])).dataSync();   // Float32Array [0.75]
 *
 * @see Jégou, Douze, Schmid, Product Quantization for Nearest Neighbor Search, 2011, §V
 */
export function recallAtK(options: RecallAtKOptions = {}): RetrievalMetric {
  checkOptionNames(NAME, options, ['k', ...RETRIEVAL_OPTIONS]);
  const {k = 1} = options;
  checkCount(NAME, 'k', k);
  return named(
    `recallAt${k}`,
    retrievalMetric(NAME, options, k, ({hits}) => max(hits, 1, true)),
  );
}
