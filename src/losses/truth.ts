import {cast, reshape, type Tensor} from '@tensorflow/tfjs-core';
import {shapeText, typeError} from '../checks';

/** Predictions with a last axis to reduce over: one value a row (`float32[B]`) is read as one feature, `float32[B, 1]`. */
export function withFeatureAxis(where: string, yPred: Tensor): Tensor {
  if (yPred.rank === 0) throw typeError(where, 'yPred', 'have a batch axis', yPred.shape);
  return yPred.rank === 1 ? reshape(yPred, [yPred.size, 1]) : yPred;
}

/** The truth as `float32` in the shape of the predictions; only a trailing axis of 1 may be missing or too many. */
export function truthLike(where: string, yTrue: Tensor, yPred: Tensor, remedy = ''): Tensor {
  if (!fits(yTrue.shape, yPred.shape) && !fits(yPred.shape, yTrue.shape)) {
    throw typeError(where, 'yTrue', `have the shape of yPred, ${shapeText(yPred.shape)}`, yTrue.shape, remedy);
  }
  return cast(reshape(yTrue, yPred.shape), 'float32');
}

/** Whether two shapes are the same, but for one more axis of 1 at the end of the second. */
function fits(shape: number[], other: number[]): boolean {
  return shape.length > 0 && [String(shape), String([...shape, 1])].includes(String(other));
}
