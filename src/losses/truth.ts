import {cast, reshape, type Tensor} from '@tensorflow/tfjs-core';
import {typeError} from '../checks';

/** Predictions with a last axis to reduce over: one value a row (`float32[B]`) is read as one feature, `float32[B, 1]`. */
export function withFeatureAxis(where: string, yPred: Tensor): Tensor {
  if (yPred.rank === 0) throw typeError(where, 'yPred', 'have a batch axis', yPred.shape);
  return yPred.rank === 1 ? reshape(yPred, [yPred.size, 1]) : yPred;
}

/** The truth as `float32` in the shape of the predictions; only a trailing axis of 1 may be missing or too many. */
export function truthLike(where: string, yTrue: Tensor, yPred: Tensor, remedy = ''): Tensor {
  if (withoutLastOne(yTrue.shape) !== withoutLastOne(yPred.shape)) {
    throw typeError(where, 'yTrue', `have the shape of yPred, [${yPred.shape}]`, yTrue.shape, remedy);
  }
  return cast(reshape(yTrue, yPred.shape), 'float32');
}

function withoutLastOne(shape: number[]): string {
  return String(shape.at(-1) === 1 ? shape.slice(0, -1) : shape);
}
