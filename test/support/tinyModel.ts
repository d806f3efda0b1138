import {type Tensor, tensor1d, tensor2d, tidy} from '@tensorflow/tfjs-core';
import {layers, type Sequential, sequential} from '@tensorflow/tfjs-layers';

/**
 * Two features in, two classes out, with weights that are the same every time: w = [[1, −1], [0.5,
 * 2]], b = 0.
 */
export function tinyModel(): Sequential {
  const model = sequential({layers: [layers.dense({units: 2, activation: 'softmax', inputShape: [2]})]});
  const weights = [tensor2d([1, -1, 0.5, 2], [2, 2]), tensor1d([0, 0])];
  model.setWeights(weights);
  for (const weight of weights) weight.dispose();
  return model;
}

/** Six rows, the fourth and the sixth of which the tiny model gets wrong. */
export const tinyXs = (): Tensor => tensor2d([1, 0, 0, 1, 2, 0, 0, 2, -1, -1, 1, -2], [6, 2]);
export const tinyYs = (): Tensor => tensor2d([1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1], [6, 2]);

/** The values of a model's weights, one list of numbers for each. */
export function weightValues(model: {getWeights(): Tensor[]}): number[][] {
  return tidy(() => model.getWeights().map((weight) => [...weight.dataSync()]));
}
