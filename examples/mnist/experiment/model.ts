import {initializers, type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {CLASSES, IMAGE_SIZE} from '../data/digits';

const HIDDEN_UNITS = 1024;

/**
 * Builds the network of the reference experiment; the same weights for the same seed, on every
 * backend.
 *
 *     784 → 1024 sigmoid → 10 softmax;    weights truncated normal with σ = 1/1024 and 1/10, biases 0
 */
export function referenceModel(seed: number): LayersModel {
  return sequential({
    layers: [
      layers.dense({
        inputShape: [IMAGE_SIZE],
        units: HIDDEN_UNITS,
        activation: 'sigmoid',
        kernelInitializer: truncatedNormal(1 / HIDDEN_UNITS, 2 * seed + 1),
      }),
      layers.dense({units: CLASSES, activation: 'softmax', kernelInitializer: truncatedNormal(1 / 10, 2 * seed + 2)}),
    ],
  });
}

/** `seed` is not 0, which tfjs takes for "none". */
const truncatedNormal = (stddev: number, seed: number) => initializers.truncatedNormal({stddev, seed});
