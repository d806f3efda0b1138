import {cast, equal, range, reshape, sigmoid, softmax, sub, Tensor} from '@tensorflow/tfjs-core';
import {typeError} from '../checks';
import type {SelectionContext} from '../types';

/** Options for converting predictions to errors. */
interface ErrorOptions {
  fromLogits: boolean;
  /** Whether a row may have a single value, the probability or logit of the positive class. */
  mayBeBinary?: boolean;
}

/**
 * Computes the errors `p − y` as `float32[B, C]`: the gradient of the cross-entropy by the logits.
 *
 * @param rows  the number of rows; further axes of `yPred` become rows.
 */
export function classErrors(
  where: string,
  {yTrue, yPred}: Pick<SelectionContext, 'yTrue' | 'yPred'>,
  rows: number,
  {fromLogits, mayBeBinary = false}: ErrorOptions,
): Tensor {
  const predicted = classesOf(where, yPred, rows, mayBeBinary);
  const classes = predicted.shape[1] as number;
  const probabilities = fromLogits ? (classes === 1 ? sigmoid(predicted) : softmax(predicted)) : predicted;
  return sub(probabilities, oneHotOf(where, yTrue, rows, classes));
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
