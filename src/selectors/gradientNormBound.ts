import {sqrt, square, sum, type Tensor1D, tidy} from '@tensorflow/tfjs-core';
import {checkBoolean, checkOptionNames} from '../checks';
import {classErrors} from './classErrors';
import type {Score} from './scored';

const NAME = 'gradientNormBound';

export interface GradientNormBoundOptions {
  /** Whether `yPred` holds logits instead of probabilities. Default false, as in Keras. */
  fromLogits?: boolean;
}

/**
 * Scores rows of a classifier by an upper bound of their gradient norm.
 *
 *     score_i = ‖p_i − y_i‖₂,   p = softmax(yPred) from logits, yPred otherwise;   y one-hot
 *     with several binary labels per row, p = sigmoid(yPred) from logits
 *
 * This is the norm of the gradient of the cross-entropy by the logits, without a backward pass. A
 * constant times it bounds the gradient of all weights. It is at most √2: very wrong rows score
 * alike, and a wrong label weighs little more than a hard row. As a score for
 * {@link importanceSampling} it gives the least noise.
 *
 * @param options  `fromLogits`.
 * @returns a score for {@link scored}, from `context.yPred`, `float32[B, C]`, and `context.yTrue`,
 *   one-hot `[B, C]` or integer labels `[B]` or `[B, 1]`, → `float32[B]`. The trainers fill both in
 *   for a model with one output. An integer outside 0 … C−1 counts as no class.
 * @throws TypeError if `yTrue` or `yPred` is missing or does not hold classes of these rows;
 *   RangeError if `fromLogits` contradicts the loss or the last activation of the model.
 *
 * @example
 * const yTrue = tf.tensor1d([0, 0], 'int32');
 * const yPred = tf.tensor2d([[0.4, 0.6], [0.9, 0.1]]);
 * const score = gradientNormBound()(tf.tensor1d([0.92, 0.11]), {yTrue, yPred});
 * score.dataSync();   // Float32Array [0.848528, 0.141421]
 *
 * @see Katharopoulos & Fleuret, ICML 2018, §3.2 (arXiv:1803.00942)
 */
export function gradientNormBound(options: GradientNormBoundOptions = {}): Score {
  checkOptionNames(NAME, options, ['fromLogits']);
  const {fromLogits = false} = options;
  checkBoolean(NAME, 'fromLogits', fromLogits);
  return (losses, context) =>
    tidy(() => sqrt(sum(square(classErrors(NAME, context, losses.size, {fromLogits})), 1)) as Tensor1D);
}
