import {add, mean, mul, relu, step, sub, sum, type Tensor} from '@tensorflow/tfjs-core';
import {checkFinite, checkOptionNames} from '../checks';
import type {PerSampleLoss} from '../types';
import {classesOf, closedForm, perFeature, truthLike} from './formula';

const NAME = 'multiMargin';

export interface MultiMarginOptions {
  /** By how much the true class has to lead, a finite number. Default 1. */
  margin?: number;
}

/**
 * Measures by how much every wrong class comes too near to the true one, for one-hot labels.
 *
 *     l = 1/C · Σ_{c ≠ y} max(0, s_c − s_y + margin)
 *
 * The SVM loss of Ordered SGD and `MultiMarginLoss` of torch, which takes integer labels. The sum has C − 1 terms and is
 * divided by C, as there: a row whose scores are all equal has the loss margin · (C − 1) / C.
 *
 * @param options  `margin`, by how much the true class has to lead (default 1).
 * @returns a loss, `(float32[B, …, C], float32[B, …, C]) → float32[B, …]`.
 * @throws RangeError if `margin` is not a finite number (when it is built); TypeError if the shapes differ, as they do for
 *   integer labels (when it is called).
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
