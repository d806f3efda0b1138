import {train} from '@tensorflow/tfjs-core';
import {initializers, layers, type Sequential, sequential} from '@tensorflow/tfjs-layers';
import {IMAGE_SIZE} from '../../examples/mnist/data/digits';

/**
 * Builds a network with one hidden layer for integer labels, trained by Adam at 0.001; the weights
 * depend on the seed.
 */
export function digitNetwork({seed, hidden, classes}: {seed: number; hidden: number; classes: number}): Sequential {
  const model = sequential({
    layers: [
      layers.dense({
        ...{inputShape: [IMAGE_SIZE], units: hidden, activation: 'relu'},
        kernelInitializer: initializers.heNormal({seed: 2 * seed + 1}),
      }),
      layers.dense({
        ...{units: classes, activation: 'softmax'},
        kernelInitializer: initializers.glorotNormal({seed: 2 * seed + 2}),
      }),
    ],
  });
  model.compile({optimizer: train.adam(0.001), loss: 'sparseCategoricalCrossentropy'});
  return model;
}

/** Disposes a network with its optimizer. */
export function disposeNetwork(model: Sequential): void {
  const {optimizer} = model;
  model.dispose();
  optimizer.dispose();
}
