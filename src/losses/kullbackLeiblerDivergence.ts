import {mul, neg, sub, sum} from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from '../types';
import {closedForm, matched} from './formula';
import {logOf, throughLog} from './logProbabilities';

const NAME = 'kullbackLeiblerDivergence';

/**
 * Computes the Kullback-Leibler divergence of the prediction from the truth.
 *
 *     l = Σ_c y_c · (log y_c − log p_c)
 *
 * For targets that are distributions, such as a teacher's. Through a softmax its gradient equals
 * that of {@link categoricalCrossentropy}. Its loss subtracts the entropy of the truth, which a
 * selector would mistake for hardness.
 *
 * Both arguments must be distributions: neither is normalised. Keras clips both at 1e-7; here y = 0
 * contributes 0, and the gradient is correct down to p = 1e-30.
 *
 * @returns a loss, `(float32[B, …, C], float32[B, …, C]) → float32[B, …]`, in nats.
 * @throws TypeError if the shapes differ by more than a trailing axis of 1 (when it is called).
 *
 * @example
 * const loss = kullbackLeiblerDivergence();
 * loss(tf.tensor2d([[0.5, 0.5]]), tf.tensor2d([[0.25, 0.75]])).dataSync();   // Float32Array [0.143841]
 *
 * @see Kullback & Leibler, On Information and Sufficiency, Annals of Mathematical Statistics 22(1),
 *   1951, §2
 */
export function kullbackLeiblerDivergence(): PerSampleLoss {
  return closedForm(
    NAME,
    (yTrue, yPred) => {
      const {truth, predicted} = matched(NAME, yTrue, yPred);
      return sum(mul(truth, sub(logOf(truth), logOf(predicted))), -1);
    },
    (dl, yTrue, yPred) => {
      const {truth, predicted} = matched(NAME, yTrue, yPred);
      return throughLog(mul(neg(dl), truth), predicted);
    },
  );
}
