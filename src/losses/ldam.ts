import {mul, softmax, sub, sum, type Tensor, tensor1d} from '@tensorflow/tfjs-core';
import {
  checkClassCounts,
  checkFinitePositive,
  checkNotNegative,
  checkOptionNames,
  checkWeights,
  typeError,
} from '../checks';
import type {PerSampleLoss} from '../types';
import {checkClassWeights, weighted} from './categoricalCrossentropy';
import {closedForm, ofClasses, truthLike} from './formula';
import {surprise} from './logProbabilities';

const NAME = 'ldam';

export interface LdamOptions {
  /** Number of examples of each class in the data set: `C` integers ≥ 1. */
  counts: ArrayLike<number>;
  /** Margin of the rarest class, a finite number ≥ 0. Default 0.5. */
  maxMargin?: number;
  /** Factor that turns scores into logits, a finite number > 0. Default 30. */
  scale?: number;
  /** Weight of each class, one number ≥ 0 per class. Default 1 each. */
  classWeights?: readonly number[];
}

/**
 * Computes the cross-entropy behind a margin, which is larger for rare classes.
 *
 *     l = Σ_c w_c · y_c · −log softmax(scale · (s − m ∘ y))_c
 *     m_c = maxMargin · (n_c / min n)^(−¼)
 *
 * The label-distribution-aware margin loss, for data with few examples of some classes. It expects
 * scores from −1 to 1, as of a last layer with normalised weights and inputs, never probabilities.
 * Its authors train without class weights first, and with those of {@link classBalanced} towards
 * the end. A soft label gets its share of the margin, and a row of zeros has loss 0.
 *
 * @param options  `counts`, the number of examples of each class; `maxMargin` (default 0.5);
 *   `scale` (default 30); `classWeights`, `C` numbers ≥ 0 (default 1 each).
 * @returns a loss, `(float32[B, …, C], float32[B, …, C]) → float32[B, …]`, in nats.
 * @throws RangeError if a count is not an integer ≥ 1, `maxMargin` is negative, `scale` is not
 *   positive, or a class weight is negative or not finite (when it is built); TypeError if there is
 *   not one count and weight for each class, or the shapes differ, as they do for integer labels
 *   (when it is called).
 *
 * @example
 * const loss = ldam({counts: [1000, 10], scale: 2});   // margins 0.158 and 0.5
 * loss(tf.tensor2d([[1, 0], [0, 1]]), tf.zeros([2, 2])).dataSync();   // Float32Array [0.863709, 1.313262]
 *
 * @see Cao et al., LDAM-DRW, NeurIPS 2019, §3.2 (arXiv:1906.07413)
 */
export function ldam(options: LdamOptions): PerSampleLoss {
  checkOptionNames(NAME, options, ['counts', 'maxMargin', 'scale', 'classWeights']);
  const {counts, maxMargin = 0.5, scale = 30} = options ?? {};
  checkClassCounts(NAME, counts, 'Its margin would be infinite: leave out a class without examples.');
  checkNotNegative(NAME, 'maxMargin', maxMargin);
  checkFinitePositive(NAME, 'scale', scale);
  if (options.classWeights) checkWeights(NAME, 'classWeights', options.classWeights);
  // Copy the lists, so that later changes to them do not affect the loss.
  const classWeights = options.classWeights && [...options.classWeights];
  const rarest = Math.min(...Array.from(counts));
  const margins = Array.from(counts, (count) => maxMargin * (rarest / count) ** 0.25);
  const partsOf = (yTrue: Tensor, yPred: Tensor) => {
    const classes = checkClassWeights(NAME, yPred, classWeights);
    if (margins.length !== classes) {
      const constraint = `hold one count for each of the ${classes} classes`;
      throw typeError(NAME, 'counts', constraint, `${margins.length} counts`);
    }
    const oneHot = truthLike(NAME, yTrue, yPred, 'For integer labels pass tf.oneHot(labels, C).');
    const logits = mul(sub(yPred, mul(oneHot, tensor1d(margins))), scale);
    return {target: weighted(oneHot, classWeights), logits};
  };
  const loss = closedForm(
    NAME,
    (yTrue, yPred) => {
      const {target, logits} = partsOf(yTrue, yPred);
      return surprise(target, logits, true);
    },
    (dl, yTrue, yPred) => {
      const {target, logits} = partsOf(yTrue, yPred);
      return mul(mul(dl, scale), sub(mul(softmax(logits), sum(target, -1, true)), target));
    },
  );
  return ofClasses(loss, true);
}
