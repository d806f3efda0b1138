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
  /** Whether `yPred` are logits; probabilities otherwise. Default false, as in Keras. */
  fromLogits?: boolean;
}

/**
 * Scores rows of a classifier by how large their gradient can be.
 *
 *     score_i = ‖p_i − y_i‖₂,   p = softmax(yPred) from logits, yPred otherwise;   y one-hot
 *
 * The gradient of the crossentropy with respect to the logits: times a constant it bounds the gradient of all weights, and costs no backward
 * pass. It is at most √2, while the loss has no bound: of rows that are all very wrong it tells none apart, and a wrong label counts little more than a hard
 * row. Made for {@link importanceSampling}, whose estimate has the least noise when rows are drawn by the size of their gradients.
 *
 * @param options  `fromLogits`, whether `yPred` are logits (default false).
 * @returns a score for {@link scored}, from `context.yPred`, `float32[B, C]`, and `context.yTrue`, one-hot `[B, C]` or integer labels `[B]` or
 *   `[B, 1]`, → `float32[B]`. The trainers fill both in for a model with one output. An integer outside 0 … C−1 counts as no class.
 * @throws TypeError if `yTrue` or `yPred` is missing, or they are not classes of these rows (when it is called).
 *
 * @example
 * const yTrue = tf.tensor1d([0, 0], 'int32');
 * const yPred = tf.tensor2d([[0.4, 0.6], [0.9, 0.1]]);
 * gradientNormBound()(tf.tensor1d([0.92, 0.11]), {yTrue, yPred}).dataSync();   // Float32Array [0.848528, 0.141421]
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

/** Predictions as `float32[B, C]`; further axes of them are rows of their own. */
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
  // Not tf.oneHot: a label that is out of range, or none, is a row of zeros here on every backend.
  const labels = cast(reshape(yTrue, [rows, 1]), 'float32');
  return cast(equal(labels, range(0, classes, 1, 'float32')), 'float32');
}
