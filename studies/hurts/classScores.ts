import {argMax, cast, mean, notEqual, type Tensor, tidy} from '@tensorflow/tfjs-core';
import {categoricalCrossentropy} from 'ohem-tfjs';

/** Computes the share of wrong classes and the mean crossentropy of rows, or of steps of rows. */
export function classScores(predicted: Tensor, targets: Tensor): {error: number; loss: number} {
  return tidy(() => ({
    error: mean(cast(notEqual(argMax(predicted, -1), argMax(targets, -1)), 'float32')).dataSync()[0] as number,
    loss: mean(categoricalCrossentropy()(targets, predicted)).dataSync()[0] as number,
  }));
}
