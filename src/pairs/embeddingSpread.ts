import {tidy} from '@tensorflow/tfjs-core';
import {checkOptionNames} from '../checks';
import {offTape} from '../engine';
import {DISTANCE_OPTIONS, type DistanceOptions, spaceOf} from './distances';
import {named, type RetrievalMetric} from './neighbours';
import {labelledRows} from './pairBatch';
import {spreadOf} from './spread';

const NAME = 'embeddingSpread';

/**
 * Measures the mean distance between the rows of a batch.
 *
 *     spread = mean over all pairs of rows of d(i, j)
 *
 * Collapsed embeddings have a spread of 0, while the loss may look harmless: it equals the margin.
 * As a metric of the model it appears in the logs, from which {@link collapseWatch} warns. With
 * `distance: 'cosine'` or `'dot'` it is the mean similarity, which grows as embeddings collapse.
 *
 * @param options  `distance` (default `'euclidean'`), `normalize`.
 * @returns a metric, `(int32[B], float32[B, D]) → float32[]`.
 * @throws RangeError or TypeError for a wrong option (when it is built); TypeError if the shapes do
 *   not match (when it is called).
 *
 * @example
 * const labels = tf.tensor1d([0, 0, 1], 'int32');
 * embeddingSpread({normalize: false})(labels, tf.tensor2d([[0], [1], [2]])).dataSync();   // Float32Array [1.333333]
 */
export function embeddingSpread(options: DistanceOptions = {}): RetrievalMetric {
  checkOptionNames(NAME, options, DISTANCE_OPTIONS);
  const space = spaceOf(NAME, options, 'euclidean');
  return named(NAME, (yTrue, yPred) =>
    offTape(() => tidy(() => spreadOf(NAME, space, labelledRows(NAME, yTrue, yPred, ['yTrue', 'yPred'])))),
  );
}
