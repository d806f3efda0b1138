import {add, div, max, mul, relu, step, sub, sum, type Tensor, tidy} from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from '../types';
import {classesOf, rowwise, truthLike} from './truth';

const NAME = 'categoricalHinge';

/**
 * Measures by how much the score of the true class misses a margin of 1 over the best wrong one, for one-hot labels.
 *
 *     l = max(0, 1 + max_c (1 − y_c) · s_c − Σ_c y_c · s_c)
 *
 * Only the strongest rival is pushed; {@link multiMargin} pushes all that are too near. As in Keras the true class takes
 * part in the maximum with a 0, so that wrong classes count as at least 0: the true class has to reach a score of 1 itself.
 *
 * @returns a loss, `(float32[B, …, C], float32[B, …, C]) → float32[B, …]`.
 * @throws TypeError if the shapes differ, as they do for integer labels (when it is called).
 *
 * @example
 * categoricalHinge()(tf.tensor2d([[0, 1, 0]]), tf.tensor2d([[2, 1.5, -3]])).dataSync();   // Float32Array [1.5]
 */
export function categoricalHinge(): PerSampleLoss {
  return rowwise((yTrue, yPred) =>
    tidy(() => {
      classesOf(NAME, yPred);
      const oneHot = truthLike(NAME, yTrue, yPred, 'For integer labels pass tf.oneHot(labels, C).');
      const ofTruth = sum(mul(oneHot, yPred), -1);
      const ofRival = largest(mul(sub(1, oneHot), yPred));
      return relu(add(sub(ofRival, ofTruth), 1));
    }),
  );
}

/**
 * The largest score of each row. Where several are the largest they share its gradient: that of `tf.max` is 1 for each, and
 * so too much for a model that begins with equal scores.
 */
function largest(scores: Tensor): Tensor {
  // A comparison would have no gradient; a step has, 0.
  const isLargest = sub(1, step(sub(max(scores, -1, true), scores)));
  return sum(mul(scores, div(isLargest, sum(isLargest, -1, true))), -1);
}
