import {sub, type Tensor1D} from '@tensorflow/tfjs-core';
import {checkGiven, checkRows} from '../checks';
import type {Score} from './scored';

const NAME = 'reducibleLoss';

/**
 * Scores rows by the reducible part of their loss.
 *
 *     score_i = l_i − reference_i
 *
 * RHO-LOSS: `context.reference` is the loss of each row under a model trained on held-out data.
 * That model cannot predict noise and wrong labels either, so their score is small however large
 * the loss; the score of learned rows is small too. Unlike {@link topK} it is robust to wrong
 * labels. Pass the references with each batch: `step(xs, ys, {reference})`.
 *
 * @returns a score for {@link scored}, from `context.reference`, `float32[B]`, → `float32[B]`.
 * @throws TypeError if `context.reference` is missing or not one number for each row.
 *
 * @example
 * const select = scored(topK({k: 1}), reducibleLoss());
 * const reference = tf.tensor1d([0.1, 0.8, 0.1]);
 * select(tf.tensor1d([0.1, 0.9, 0.5]), {reference}).indices.dataSync();   // Int32Array [2]
 *
 * @see Mindermann et al., RHO-LOSS, ICML 2022, §3, eq. 3 (arXiv:2206.07137)
 */
export function reducibleLoss(): Score {
  return (losses, {reference}) => {
    checkGiven(NAME, 'reference', reference, 'the irreducible loss of each row');
    checkRows(NAME, 'reference', reference as Tensor1D, losses.size);
    return sub(losses, reference as Tensor1D);
  };
}
