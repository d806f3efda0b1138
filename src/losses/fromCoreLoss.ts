/** @file The losses of `tf.losses`, which reduce the batch to a scalar, by row. */

import {losses, Reduction, type Tensor} from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from '../types';
import {binaryCrossentropy} from './binaryCrossentropy';
import {categoricalCrossentropy} from './categoricalCrossentropy';
import {rowwise} from './formula';
import {huber} from './huber';
import {meanAbsoluteError} from './meanAbsoluteError';
import {meanSquaredError} from './squaredError';

const {NONE} = Reduction;

/** Builds what each loss of `tf.losses` is for a row; `compile` takes them, and the mean over all rows is the same. */
const BY_ROW = new Map<unknown, () => PerSampleLoss>([
  [losses.absoluteDifference, meanAbsoluteError],
  [losses.computeWeightedLoss, () => unreduced((values, weights) => losses.computeWeightedLoss(values, weights, NONE))],
  [losses.cosineDistance, () => unreduced((y, p) => losses.cosineDistance(y, p, -1, undefined, NONE))],
  [losses.hingeLoss, () => unreduced((y, p) => losses.hingeLoss(y, p, undefined, NONE))],
  [losses.huberLoss, () => huber({delta: 1})],
  [losses.logLoss, () => unreduced((y, p) => losses.logLoss(y, p, undefined, undefined, NONE))],
  [losses.meanSquaredError, meanSquaredError],
  [losses.sigmoidCrossEntropy, () => binaryCrossentropy({fromLogits: true})],
  [losses.softmaxCrossEntropy, () => categoricalCrossentropy({fromLogits: true})],
]);

function unreduced(loss: (yTrue: Tensor, yPred: Tensor) => Tensor): PerSampleLoss {
  return rowwise((yTrue, yPred) => loss(yTrue, yPred));
}

/** Takes a loss of `tf.losses` for what it is by row; any other stays as it is. */
export function fromCoreLoss(loss: PerSampleLoss): PerSampleLoss {
  return BY_ROW.get(loss)?.() ?? loss;
}
