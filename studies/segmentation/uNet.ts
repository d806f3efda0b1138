import {initializers, input, type LayersModel, layers, model, type SymbolicTensor} from '@tensorflow/tfjs-layers';
import {SIDE} from '../kit/scenes/scene';
import {PIXEL_KINDS} from './pixelKinds';

/** Filters at 96, 48, 24, 12 and 6 pixels. */
const FILTERS = [8, 12, 24, 32, 48] as const;
/** From this level on, a second convolution follows. Fine maps cost most, so they have less. */
const DEEP = 2;

/**
 * Builds a small U-Net: four times down by convolutions of stride 2, four times up by doubled
 * pixels, each time beside the map of that size from the way down.
 *
 *     float32[B, 96, 96, 2], probabilities of background and digit
 *
 * The weights depend on the seed.
 */
export function uNet(seed: number): LayersModel {
  let draws = 0;
  const convolved = (from: SymbolicTensor, filters: number, {strides = 1, kernelSize = 3} = {}) =>
    layers
      .conv2d({
        ...{filters, strides, kernelSize, padding: 'same', activation: 'relu'},
        kernelInitializer: initializers.heNormal({seed: 100 * seed + draws++}),
      })
      .apply(from) as SymbolicTensor;
  const scene = input({shape: [SIDE, SIDE, 1]});
  const down: SymbolicTensor[] = [];
  let map: SymbolicTensor = scene;
  for (const [level, filters] of FILTERS.entries()) {
    map = convolved(map, filters, {strides: level === 0 ? 1 : 2});
    if (level >= DEEP) map = convolved(map, filters);
    down.push(map);
  }
  for (let level = FILTERS.length - 2; level >= 0; level--) {
    const filters = FILTERS[level] as number;
    const narrow = convolved(map, filters, {kernelSize: 1});
    const doubled = layers.upSampling2d({size: [2, 2]}).apply(narrow) as SymbolicTensor;
    const beside = layers.concatenate({axis: -1}).apply([doubled, down[level] as SymbolicTensor]) as SymbolicTensor;
    map = convolved(beside, filters, {kernelSize: level === 0 ? 1 : 3});
  }
  const pixels = layers
    .conv2d({
      ...{filters: PIXEL_KINDS, kernelSize: 1, activation: 'softmax'},
      kernelInitializer: initializers.glorotNormal({seed: 100 * seed + draws++}),
    })
    .apply(map) as SymbolicTensor;
  return model({inputs: scene, outputs: pixels});
}
