import {type Tensor, tensor, tensor3d} from '@tensorflow/tfjs-core';
import {layers, type Sequential, sequential} from '@tensorflow/tfjs-layers';
import {randomFrom} from './property';
import {tinyModel} from './tinyModel';

/**
 * The tiny model at each of `steps` places of a row: `float32[B, T, 2]` in and out. What it does
 * with one place does not depend on the others.
 */
export function sequenceModel(steps: number | null): Sequential {
  const model = sequential({layers: [layers.dense({units: 2, activation: 'softmax', inputShape: [steps, 2]})]});
  const tiny = tinyModel();
  model.setWeights(tiny.getWeights());
  tiny.dispose();
  return model;
}

/**
 * Rows of places: the same numbers as `[B, T, 2]` for the sequence model, and as `[B·T, 2]` for the
 * tiny one.
 */
export interface Sequences {
  xs: Tensor;
  labels: number[];
  ys: Tensor;
  flatXs: Tensor;
  flatYs: Tensor;
}

/** Rows of places drawn from a seed. */
export function sequencesFrom(seed: number, batchSize: number, steps: number, ignored = 0): Sequences {
  const random = randomFrom(seed);
  const count = batchSize * steps;
  const values = Array.from({length: count * 2}, () => 4 * random() - 2);
  const labels = Array.from({length: count}, () => (random() < ignored ? 255 : Math.floor(2 * random())));
  return {
    labels,
    xs: tensor3d(values, [batchSize, steps, 2]),
    ys: tensor(labels, [batchSize, steps], 'int32'),
    flatXs: tensor(values, [count, 2]),
    flatYs: tensor(labels, [count], 'int32'),
  };
}
