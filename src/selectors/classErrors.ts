import {cast, equal, range, reshape, sigmoid, softmax, sub, Tensor} from '@tensorflow/tfjs-core';
import {rangeError, typeError} from '../checks';
import type {SelectionContext} from '../types';

/** The part of a context that describes predictions. */
export type Predicted = Pick<SelectionContext, 'yTrue' | 'yPred' | 'binary' | 'logits'>;

/** Options for converting predictions to errors. */
interface ErrorOptions {
  fromLogits: boolean;
  /** Whether a row may have a single value, the probability or logit of the positive class. */
  mayBeBinary?: boolean;
}

/**
 * Computes the errors `p − y` as `float32[B, C]`: the gradient of the cross-entropy by the logits.
 *
 *     p = softmax(yPred) from logits of classes, sigmoid(yPred) from logits of binary labels
 *
 * @param rows  the number of rows; further axes of `yPred` become rows.
 */
export function classErrors(
  where: string,
  {yTrue, yPred, binary = false, logits}: Predicted,
  rows: number,
  {fromLogits, mayBeBinary = false}: ErrorOptions,
): Tensor {
  const predicted = classesOf(where, yPred, rows, mayBeBinary);
  checkLogits(where, fromLogits, logits);
  const classes = predicted.shape[1] as number;
  const truth = binary ? labelsOf(where, yTrue, rows, classes) : oneHotOf(where, yTrue, rows, classes);
  if (!fromLogits) return sub(predicted, truth);
  return sub(binary || classes === 1 ? sigmoid(predicted) : softmax(predicted), truth);
}

/** Refuses a `fromLogits` that contradicts what is known of the predictions. */
function checkLogits(where: string, fromLogits: boolean, logits: boolean | undefined): void {
  if (logits === undefined || logits === fromLogits) return;
  const constraint = `be ${logits} for predictions that are ${logits ? 'logits' : 'probabilities'}`;
  throw rangeError(where, 'fromLogits', constraint, fromLogits, `Build the selector with {fromLogits: ${logits}}.`);
}

/** Reshapes predictions to `float32[B, C]`. */
function classesOf(where: string, yPred: Tensor | undefined, rows: number, mayBeBinary: boolean): Tensor {
  const least = mayBeBinary ? 1 : 2;
  const constraint = `have shape [${rows}, C], C >= ${least} classes for each row`;
  if (!(yPred instanceof Tensor))
    throw typeError(where, 'yPred', constraint, yPred, 'It is for models with one output.');
  const flat = mayBeBinary && yPred.rank === 1 ? reshape(yPred, [yPred.size, 1]) : yPred;
  const classes = flat.shape[flat.rank - 1] as number;
  if (flat.rank < 2 || classes < least || flat.size !== rows * classes) {
    throw typeError(where, 'yPred', constraint, yPred.shape);
  }
  return reshape(flat, [rows, classes]);
}

/** Reshapes the labels of a row to `float32[B, C]`. */
function labelsOf(where: string, yTrue: Tensor | undefined, rows: number, labels: number): Tensor {
  if (yTrue instanceof Tensor && yTrue.size === rows * labels) return cast(reshape(yTrue, [rows, labels]), 'float32');
  const got = yTrue instanceof Tensor ? yTrue.shape : yTrue;
  throw typeError(where, 'yTrue', `have shape [${rows}, ${labels}], a label for each prediction`, got);
}

function oneHotOf(where: string, yTrue: Tensor | undefined, rows: number, classes: number): Tensor {
  if (!(yTrue instanceof Tensor) || (yTrue.size !== rows && yTrue.size !== rows * classes)) {
    const got = yTrue instanceof Tensor ? yTrue.shape : yTrue;
    throw typeError(where, 'yTrue', `have shape [${rows}] of labels or [${rows}, ${classes}], one-hot`, got);
  }
  if (yTrue.size === rows * classes) return cast(reshape(yTrue, [rows, classes]), 'float32');
  // Unlike tf.oneHot, this maps an out-of-range label to a row of zeros on every backend.
  const labels = cast(reshape(yTrue, [rows, 1]), 'float32');
  return cast(equal(labels, range(0, classes, 1, 'float32')), 'float32');
}
