import {add, div, max, mul, relu, squeeze, step, sub, sum, type Tensor} from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from '../types';
import {classesOf, closedForm, truthLike, withGradient} from './formula';

const NAME = 'categoricalHinge';

/**
 * Computes the categorical hinge loss for one-hot labels.
 *
 *     l = max(0, 1 + max_c (1 − y_c) · s_c − Σ_c y_c · s_c)
 *
 * Only the highest-scoring wrong class gets a gradient; {@link multiMargin} pushes down every class
 * within the margin. As in Keras, the maximum includes a 0 in place of the true class. Wrong
 * classes thus count as at least 0, and the true class must reach a score of 1 itself.
 * @returns a loss, `(float32[B, …, C], float32[B, …, C]) → float32[B, …]`.
 * @throws TypeError if the shapes differ, as they do for integer labels (when it is called).
 *
 * @example
 * categoricalHinge()(tf.tensor2d([[0, 1, 0]]), tf.tensor2d([[2, 1.5, -3]])).dataSync();   // Float32Array [1.5]
 */
export function categoricalHinge(): PerSampleLoss {
  const scoresOf = (yTrue: Tensor, yPred: Tensor) => {
    classesOf(NAME, yPred);
    const oneHot = truthLike(NAME, yTrue, yPred, 'For integer labels pass tf.oneHot(labels, C).');
    const ofTruth = mul(oneHot, yPred);
    const ofRivals = sub(yPred, ofTruth);
    const ofStrongest = largest(ofRivals);
    const missing = add(sub(ofStrongest, sum(ofTruth, -1, true)), 1);
    return {oneHot, missing, isStrongest: () => shares(ofRivals, ofStrongest)};
  };
  return closedForm(
    NAME,
    (yTrue, yPred) => squeeze(relu(scoresOf(yTrue, yPred).missing), [-1]),
    (dl, yTrue, yPred) => {
      const {oneHot, missing, isStrongest} = scoresOf(yTrue, yPred);
      return mul(mul(dl, step(missing)), sub(mul(isStrongest(), sub(1, oneHot)), oneHot));
    },
  );
}

/**
 * Computes the largest score of each row; tied scores share the gradient.
 *
 * The gradient of `tf.max` is 1 for each tied score, too much for a model that starts with equal
 * scores.
 */
function largest(scores: Tensor): Tensor {
  return withGradient(
    scores,
    (x) => max(x, -1, true),
    (dy, x) => mul(dy, shares(x, max(x, -1, true))),
  );
}

/** Weights that split 1 evenly among the largest scores of a row, 0 elsewhere. */
function shares(scores: Tensor, largestOfRow: Tensor): Tensor {
  const isLargest = sub(1, step(sub(largestOfRow, scores)));
  return div(isLargest, sum(isLargest, -1, true));
}
