import {
  abs,
  where as chooseEach,
  div,
  greaterEqual,
  max,
  maximum,
  mul,
  neg,
  sqrt,
  square,
  squeeze,
  sub,
  sum,
  type Tensor,
  zeros,
} from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from '../types';
import {closedForm, matched} from './formula';

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
  const partsOf = (yTrue: Tensor, yPred: Tensor) => {
    const {truth, predicted} = matched('cosineSimilarity', yTrue, yPred);
    const [a, b] = [inUnits(truth), inUnits(predicted)];
    const lengths = sqrt(mul(maximum(a.squares, a.least), maximum(b.squares, b.least)));
    return {a: a.scaled, b, product: sum(mul(a.scaled, b.scaled), -1, true), lengths};
  };
  return closedForm(
    'cosineSimilarity',
    (yTrue, yPred) => {
      const {product, lengths} = partsOf(yTrue, yPred);
      return squeeze(neg(div(product, lengths)), [-1]);
    },
    (dl, yTrue, yPred) => {
      const {a, b, product, lengths} = partsOf(yTrue, yPred);
      // The length of a vector that is too short does not depend on it.
      const along = chooseEach(greaterEqual(b.squares, b.least), div(product, b.squares), zeros(product.shape));
      return mul(div(div(dl, lengths), b.unit), sub(mul(b.scaled, along), a));
    },
  );
}

/**
 * Vectors in units of their largest entry, since squares of large ones overflow, with the squares
 * of their lengths and of the shortest.
 *
 * (The direction does not depend on the unit, so what the gradient says of that adds up to 0.)
 */
function inUnits(vectors: Tensor) {
  const unit = maximum(max(abs(vectors), -1, true), SHORTEST);
  const scaled = div(vectors, unit);
  return {unit, scaled, squares: sum(square(scaled), -1, true), least: square(div(SHORTEST, unit))};
}
