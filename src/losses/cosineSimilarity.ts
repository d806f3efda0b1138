import {div, max, maximum, mul, neg, sqrt, square, sum, type Tensor, tidy} from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from '../types';
import {magnitude, matched, rowwise} from './truth';

/** The length that a shorter vector is taken to have, as in Keras 3: one of 0 has no direction. */
const SHORTEST = 1e-7;

/**
 * Measures how far the direction of a prediction is from that of the truth.
 *
 *     l = −Σ_d yTrue_d · yPred_d / (‖yTrue‖ · ‖yPred‖)
 *
 * For embeddings. It is negative as in Keras, −1 for the same direction and 1 for the opposite one, so that training makes
 * it small. The length of a prediction has no influence, and the gradient grows as that shrinks; a vector of zeros has the
 * loss 0. For tfjs-layers the name is `'cosineProximity'`.
 *
 * @returns a loss, `(float32[B, …, D], float32[B, …, D]) → float32[B, …]`, from −1 to 1.
 * @throws TypeError if the shapes differ by more than a trailing axis of 1 (when it is called).
 *
 * @example
 * cosineSimilarity()(tf.tensor2d([[1, 0]]), tf.tensor2d([[3, 4]])).dataSync();   // Float32Array [-0.6]
 */
export function cosineSimilarity(): PerSampleLoss {
  return rowwise((yTrue, yPred) =>
    tidy(() => {
      const {truth, predicted} = matched('cosineSimilarity', yTrue, yPred);
      return neg(sum(mul(directionOf(truth), directionOf(predicted)), -1));
    }),
  );
}

/**
 * In units of the largest entry, since squares of large ones overflow. (The direction does not depend on the unit, so what the gradient
 * says of that adds up to 0.)
 */
function directionOf(vectors: Tensor): Tensor {
  const unit = maximum(max(magnitude(vectors), -1, true), SHORTEST);
  const scaled = div(vectors, unit);
  const squaredLengths = maximum(sum(square(scaled), -1, true), square(div(SHORTEST, unit)));
  return div(scaled, sqrt(squaredLengths));
}
