import {add, mean, mul, relu, step, sub, sum, type Tensor} from '@tensorflow/tfjs-core';
import {checkFinite, checkOptionNames} from '../checks';
import type {PerSampleLoss} from '../types';
import {classesOf, closedForm, perFeature, truthLike} from './formula';

const NAME = 'multiMargin';

export interface MultiMarginOptions {
  /** Score by which the true class must lead, a finite number. Default 1. */
  margin?: number;
}

/**
 * Computes the multi-class margin loss for one-hot labels.
 *
 *     l = 1/C · Σ_{c ≠ y} max(0, s_c − s_y + margin)
 *
 * The SVM loss of Ordered SGD, and torch's `MultiMarginLoss`, which takes integer labels. As in
 * both, the sum has C − 1 terms and is divided by C: a row of equal scores has loss margin · (C −
 * 1) / C.
 *
 * @param options  `margin`, the score by which the true class must lead (default 1).
 * @returns a loss, `(float32[B, …, C], float32[B, …, C]) → float32[B, …]`.
 * @throws RangeError if `margin` is not a finite number (when it is built); TypeError if the shapes
 *   differ, as they do for integer labels (when it is called).
 *
 * @example
 * multiMargin()(tf.tensor2d([[0, 1, 0]]), tf.tensor2d([[2, 1.5, -3]])).dataSync();   // Float32Array [0.5]
 *
 * @see Kawaguchi & Lu, Ordered SGD, AISTATS 2020, table 1 (linear SVM; arXiv:1907.04371)
 */
export function multiMargin(options: MultiMarginOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['margin']);
  const {margin = 1} = options;
  checkFinite(NAME, 'margin', margin);
  const marginsOf = (yTrue: Tensor, yPred: Tensor) => {
    classesOf(NAME, yPred);
    const oneHot = truthLike(NAME, yTrue, yPred, 'For integer labels pass tf.oneHot(labels, C).');
    const ofTruth = sum(mul(oneHot, yPred), -1, true);
    return {oneHot, wrong: sub(1, oneHot), missing: add(sub(yPred, ofTruth), margin)};
  };
  return closedForm(
    NAME,
    (yTrue, yPred) => {
      const {wrong, missing} = marginsOf(yTrue, yPred);
      return mean(mul(wrong, relu(missing)), -1);
    },
    (dl, yTrue, yPred) => {
      const {oneHot, wrong, missing} = marginsOf(yTrue, yPred);
      const pushed = mul(wrong, step(missing));
      return mul(perFeature(dl, yPred), sub(pushed, mul(oneHot, sum(pushed, -1, true))));
    },
  );
}
