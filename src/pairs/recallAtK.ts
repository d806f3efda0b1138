import {max} from '@tensorflow/tfjs-core';
import {checkCount, checkOptionNames} from '../checks';
import {named, RETRIEVAL_OPTIONS, type RetrievalMetric, type RetrievalOptions, retrievalMetric} from './neighbours';

const NAME = 'recallAtK';

export interface RecallAtKOptions extends RetrievalOptions {
  /** How many neighbours are looked at; an integer ≥ 1. Default 1. */
  k?: number;
}

/**
 * Measures how many queries find a row of their class among their nearest neighbours.
 *
 *     R@k = share of the queries with a hit among their k nearest rows
 *
 * This is what papers on metric learning call recall: one hit is enough.
 *
 * Neighbours are looked for some queries at a time, on the device. Queries whose class has no other
 * row do not count; without any query the value is 0. A row that is not finite is found by none and
 * finds none.
 *
 * The metric may be given to `model.compile({metrics})`. There it is computed for each batch among
 * the rows of that batch, so set the batch size of the validation to all of its rows. It is logged as
 * `recallAt1`, `recallAt5`, ….
 *
 * @param options  `k`, `reference` (rows to find; default: the other rows); `distance` (default
 *   `'euclidean'`), `normalize`.
 * @returns a metric, `(int32[B], float32[B, D]) → float32[]`.
 * @throws RangeError or TypeError for a wrong option (when it is built); TypeError if `yTrue` is not
 *   `int32[B]` or `yPred` not `float32[B, D]` (when it is called).
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
