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

/** Lower bound of a vector's length, as in Keras 3: a vector of length 0 has no direction. */
const SHORTEST = 1e-7;

/**
 * Computes the negative cosine similarity of prediction and truth.
 *
 *     l = −Σ_d yTrue_d · yPred_d / (‖yTrue‖ · ‖yPred‖)
 *
 * For embeddings. As in Keras it is −1 for the same direction and 1 for the opposite one, so that
 * training minimises it. The length of a prediction does not affect the loss, and the gradient
 * grows as the length shrinks. A vector of zeros has loss 0. tfjs-layers calls this loss
 * `'cosineProximity'`.
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
      // A length clamped to SHORTEST is constant, so it adds nothing to the gradient.
      const along = chooseEach(greaterEqual(b.squares, b.least), div(product, b.squares), zeros(product.shape));
      return mul(div(div(dl, lengths), b.unit), sub(mul(b.scaled, along), a));
    },
  );
}

/**
 * Scales vectors by their largest entry, because the squares of large entries overflow.
 *
 * Also returns the squared lengths and the squared lower bound in the same unit. The direction does
 * not depend on the unit, so the gradient through the unit is 0 in total.
 */
function inUnits(vectors: Tensor) {
  const unit = maximum(max(abs(vectors), -1, true), SHORTEST);
  const scaled = div(vectors, unit);
  return {unit, scaled, squares: sum(square(scaled), -1, true), least: square(div(SHORTEST, unit))};
}
