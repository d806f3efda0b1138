import {tidy} from '@tensorflow/tfjs-core';
import {checkOptionNames} from '../checks';
import {offTape} from '../engine';
import {DISTANCE_OPTIONS, type DistanceOptions, spaceOf} from './distances';
import {named, type RetrievalMetric} from './neighbours';
import {labelledRows} from './pairBatch';
import {spreadOf} from './spread';

const NAME = 'embeddingSpread';

/**
 * Measures how far the rows of a batch are apart, on average.
 *
 *     spread = mean over all pairs of rows of d(i, j)
 *
 * Embeddings that collapse to a point have a spread of 0, while the loss may look harmless: it is the
 * margin, exactly. As a metric of the model it is logged, and {@link collapseWatch} warns by it. With
 * `distance: 'cosine'` or `'dot'` it is the mean similarity, which grows as embeddings collapse.
 *
 * @param options  `distance` (default `'euclidean'`), `normalize`.
 * @returns a metric, `(int32[B], float32[B, D]) → float32[]`.
 * @throws RangeError or TypeError for a wrong option (when it is built); TypeError if the shapes do
 *   not fit (when it is called).
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
