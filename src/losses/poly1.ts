import {add, exp, mul, softmax, sub, sum, type Tensor} from '@tensorflow/tfjs-core';
import {checkBoolean, checkOptionNames, checkWeights, rangeError} from '../checks';
import type {PerSampleLoss} from '../types';
import {checkClassWeights, weighted} from './categoricalCrossentropy';
import {closedForm, ofClasses, truthLike} from './formula';
import {logProbabilitiesOf, surpriseOfSoftmax, throughSurprise} from './logProbabilities';

const NAME = 'poly1';

export interface Poly1Options {
  /** Whether `yPred` holds logits instead of probabilities. Default false, as in Keras. */
  fromLogits?: boolean;
  /** Weight ε ≥ −1 of the additional term; 0 gives the plain cross-entropy. Default 1. */
  epsilon?: number;
  /** Weight of each class, one number ≥ 0 per class. Default 1 each. */
  classWeights?: readonly number[];
}

/**
 * Computes the cross-entropy with another weight for the first term of its series.
 *
 *     l = Σ_c w_c · y_c · (−log p_c + ε · (1 − p_c))
 *     p = softmax(yPred) from logits, yPred / Σ yPred otherwise
 *
 * Poly-1 of PolyLoss: −log p = (1 − p) + (1 − p)² / 2 + …, so ε changes the first factor from 1 to
 * 1 + ε. A row with p near 1 keeps a larger gradient for ε > 0, and a smaller one for ε < 0. Below
 * −1 the gradient of such a row would point away from its label. Soft labels weight the terms, and
 * a row of zeros has loss 0.
 *
 * @param options  `fromLogits` (default false); `epsilon`, ε ≥ −1 (default 1); `classWeights`, `C`
 *   numbers ≥ 0 (default 1 each).
 * @returns a loss, `(float32[B, …, C], float32[B, …, C]) → float32[B, …]`, in nats.
 * @throws RangeError if `epsilon` is not finite or below −1, or a class weight is negative or not
 *   finite (when it is built); TypeError if the shapes differ, as they do for integer labels (when
 *   it is called).
 *
 * @example
 * const loss = poly1();
 * loss(tf.tensor2d([[0, 1]]), tf.tensor2d([[0.75, 0.25]])).dataSync();   // Float32Array [2.136294]
 *
 * @see Leng et al., PolyLoss, ICLR 2022, Poly-1 (arXiv:2204.12511)
 */
export function poly1(options: Poly1Options = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['fromLogits', 'epsilon', 'classWeights']);
  const {fromLogits = false, epsilon = 1} = options;
  checkBoolean(NAME, 'fromLogits', fromLogits);
  if (!Number.isFinite(epsilon) || epsilon < -1) {
    throw rangeError(NAME, 'epsilon', 'be a finite number >= -1', epsilon);
  }
  if (options.classWeights) checkWeights(NAME, 'classWeights', options.classWeights);
  // Copy the list, so that later changes to it do not affect the loss.
  const classWeights = options.classWeights && [...options.classWeights];
  const targetOf = (yTrue: Tensor, yPred: Tensor) => {
    checkClassWeights(NAME, yPred, classWeights);
    return weighted(truthLike(NAME, yTrue, yPred, 'For integer labels pass tf.oneHot(labels, C).'), classWeights);
  };
  /** The derivative of ε · (1 − p) is −ε · p times that of log p. */
  const factors = (p: Tensor) => add(mul(p, epsilon), 1);
  const loss = closedForm(
    NAME,
    (yTrue, yPred) => {
      const logs = logProbabilitiesOf(yPred, fromLogits);
      return sum(mul(targetOf(yTrue, yPred), sub(mul(sub(1, exp(logs)), epsilon), logs)), -1);
    },
    (dl, yTrue, yPred) => {
      const p = fromLogits ? softmax(yPred) : exp(logProbabilitiesOf(yPred));
      return throughSurprise(mul(mul(dl, targetOf(yTrue, yPred)), factors(p)), yPred, fromLogits);
    },
    fromLogits ? undefined : (dl, yTrue, p) => surpriseOfSoftmax(mul(mul(dl, targetOf(yTrue, p)), factors(p)), p),
  );
  return ofClasses(loss, fromLogits);
}
