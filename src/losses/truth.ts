import {cast, reshape, sub, type Tensor} from '@tensorflow/tfjs-core';
import {shapeText, typeError} from '../checks';
import type {PerSampleLoss} from '../types';

/** Marks a loss that judges each row by itself, whatever its place and however many others there are. */
export function rowwise(loss: PerSampleLoss): PerSampleLoss {
  return Object.assign(loss, {rowwise: true as const});
}

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
  return asFloat(reshape(yTrue, yPred.shape));
}

/** The tensor as `float32`. Of one that is `float32` already a cast would make a copy. */
export function asFloat(tensor: Tensor): Tensor {
  return tensor.dtype === 'float32' ? tensor : cast(tensor, 'float32');
}

/** Truth and predictions in one shape, with a last axis to reduce over. */
export function matched(where: string, yTrue: Tensor, yPred: Tensor): {truth: Tensor; predicted: Tensor} {
  const predicted = withFeatureAxis(where, yPred);
  return {truth: truthLike(where, yTrue, predicted), predicted};
}

/** What is predicted too much, `yPred − yTrue`. */
export function errorsOf(where: string, yTrue: Tensor, yPred: Tensor): Tensor {
  const {truth, predicted} = matched(where, yTrue, yPred);
  return sub(predicted, truth);
}

/** How many classes predictions tell apart on their last axis. */
export function classesOf(where: string, yPred: Tensor): number {
  if (yPred.rank < 2) throw typeError(where, 'yPred', 'have shape [B, …, C]', yPred.shape);
  return yPred.shape[yPred.rank - 1] as number;
}

/** Whether two shapes are the same, but for one more axis of 1 at the end of the second. */
function fits(shape: number[], other: number[]): boolean {
  return shape.length > 0 && [String(shape), String([...shape, 1])].includes(String(other));
}
