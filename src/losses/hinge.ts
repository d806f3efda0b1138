import {cast, equal, mean, mul, relu, square, step, sub, type Tensor} from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from '../types';
import {closedForm, matched, ofLabels, perFeature} from './formula';

/**
 * Computes the hinge loss, on average over the labels.
 *
 *     l = mean_d max(0, 1 − y_d · s_d),    y ∈ {−1, 1}; a label 0 is read as −1
 *
 * For scores of a linear layer, not for probabilities. Labels 0 and 1 become −1 and 1, as in Keras;
 * tfjs-layers keeps a 0, which gives a constant loss of 1. Unlike Keras, each 0 is converted on its
 * own, so the loss of a row does not depend on the labels of other rows.
 *
 * @returns a loss, `(float32[B, …, D], float32[B, …, D]) → float32[B, …]`.
 * @throws TypeError if the shapes differ by more than a trailing axis of 1 (when it is called).
 *
 * @example
 * hinge()(tf.tensor2d([[1], [0]]), tf.tensor2d([[0.25], [0.25]])).dataSync();   // Float32Array [0.75, 1.25]
 */
export function hinge(): PerSampleLoss {
  return meanOfMargins('hinge', relu, step);
}

/**
 * Computes the squared hinge loss, on average over the labels.
 *
 *     l = mean_d max(0, 1 − y_d · s_d)²,    y ∈ {−1, 1}; a label 0 is read as −1
 *
 * Smooth at the margin, unlike {@link hinge}, and steeper for scores that are far off. Labels 0 and
 * 1 are converted as in {@link hinge}.
 *
 * @returns a loss, `(float32[B, …, D], float32[B, …, D]) → float32[B, …]`.
 * @throws TypeError if the shapes differ by more than a trailing axis of 1 (when it is called).
 *
 * @example
 * squaredHinge()(tf.tensor2d([[1], [0]]), tf.tensor2d([[0.25], [0.25]])).dataSync();   // Float32Array [0.5625, 1.5625]
 */
export function squaredHinge(): PerSampleLoss {
  return meanOfMargins('squaredHinge', (missing) => square(relu(missing)), relu, 2);
}

/** Builds a loss `mean_d f(1 − y_d · s_d)` from `f` and its derivative `factor · slope`. */
function meanOfMargins(
  name: string,
  f: (missing: Tensor) => Tensor,
  slope: (missing: Tensor) => Tensor,
  factor = 1,
): PerSampleLoss {
  const marginsOf = (yTrue: Tensor, yPred: Tensor) => {
    const {truth, predicted} = matched(name, yTrue, yPred);
    const labels = signs(truth);
    return {labels, missing: sub(1, mul(labels, predicted))};
  };
  return ofLabels(
    closedForm(
      name,
      (yTrue, yPred) => mean(f(marginsOf(yTrue, yPred).missing), -1),
      (dl, yTrue, yPred) => {
        const {labels, missing} = marginsOf(yTrue, yPred);
        return mul(mul(perFeature(dl, labels, -factor), labels), slope(missing));
      },
    ),
    true,
  );
}

/** Converts labels 0 and 1 to −1 and 1, and keeps −1 and 1. */
function signs(truth: Tensor): Tensor {
  return sub(truth, cast(equal(truth, 0), 'float32'));
}
