import {
  cast,
  equal,
  range,
  reshape,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  Tensor,
  type Tensor1D,
  tidy,
} from '@tensorflow/tfjs-core';
import {checkOptionNames, typeError} from '../checks';
import type {Score} from './scored';

const NAME = 'gradientNormBound';

export interface GradientNormBoundOptions {
  /** Whether `yPred` holds logits instead of probabilities. Default false, as in Keras. */
  fromLogits?: boolean;
}

/**
 * Scores rows of a classifier by a bound of their gradient.
 *
 *     score_i = ‖p_i − y_i‖₂,   p = softmax(yPred) from logits, yPred otherwise;   y one-hot
 *
 * The norm of the gradient of the crossentropy by the logits, which costs no backward pass; a
 * constant times it bounds the gradient of all weights. It is at most √2: it does not tell very
 * wrong rows apart, and a wrong label counts little more than a hard row. With it
 * {@link importanceSampling} has the least noise.
 *
 * @param options  `fromLogits`.
 * @returns a score for {@link scored}, from `context.yPred`, `float32[B, C]`, and `context.yTrue`,
 *   one-hot `[B, C]` or integer labels `[B]` or `[B, 1]`, → `float32[B]`. The trainers fill both in
 *   for a model with one output. An integer outside 0 … C−1 counts as no class.
 * @throws TypeError if `yTrue` or `yPred` is missing or does not hold classes of these rows.
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
  return (losses, {yTrue, yPred}) =>
    tidy(() => {
      const rows = losses.size;
      const predicted = classesOf(yPred, rows);
      const probabilities = fromLogits ? softmax(predicted) : predicted;
      return sqrt(sum(square(sub(probabilities, oneHotOf(yTrue, rows, predicted.shape[1] as number))), 1)) as Tensor1D;
    });
}

/** Reshapes predictions to `float32[B, C]`; further axes become rows. */
function classesOf(yPred: Tensor | undefined, rows: number): Tensor {
  const constraint = `have shape [${rows}, C], C >= 2 classes for each row`;
  if (!(yPred instanceof Tensor))
    throw typeError(NAME, 'yPred', constraint, yPred, 'It is for models with one output.');
  const classes = yPred.shape[yPred.rank - 1] as number;
  if (yPred.rank < 2 || classes < 2 || yPred.size !== rows * classes) {
    throw typeError(NAME, 'yPred', constraint, yPred.shape);
  }
  return reshape(yPred, [rows, classes]);
}

function oneHotOf(yTrue: Tensor | undefined, rows: number, classes: number): Tensor {
  if (!(yTrue instanceof Tensor) || (yTrue.size !== rows && yTrue.size !== rows * classes)) {
    const got = yTrue instanceof Tensor ? yTrue.shape : yTrue;
    throw typeError(NAME, 'yTrue', `be labels [${rows}] or one-hot [${rows}, ${classes}]`, got);
  }
  if (yTrue.size === rows * classes) return cast(reshape(yTrue, [rows, classes]), 'float32');
  // Unlike tf.oneHot, this maps a label out of range to a row of zeros on every backend.
  const labels = cast(reshape(yTrue, [rows, 1]), 'float32');
  return cast(equal(labels, range(0, classes, 1, 'float32')), 'float32');
}
