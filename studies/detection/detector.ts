import {type Tensor, tensor1d, tidy} from '@tensorflow/tfjs-core';
import {initializers, input, type LayersModel, layers, model, type SymbolicTensor} from '@tensorflow/tfjs-layers';
import {KINDS, SIDE} from '../kit/scenes/scene';
import {ANCHORS_PER_CELL, GRIDS} from './anchors';

/** Filters and strides of the convolutions before each feature map. */
const STAGES = [
  [
    {filters: 16, strides: 2},
    {filters: 24, strides: 2},
    {filters: 24, strides: 1},
    {filters: 32, strides: 2},
    {filters: 32, strides: 1},
  ],
  [
    {filters: 48, strides: 2},
    {filters: 48, strides: 1},
  ],
] as const;

/** Share of anchors that an untrained detector takes for objects, as in RetinaNet (§4.1). */
const PRIOR = 0.01;

/**
 * Builds a single-shot detector: seven 3 × 3 convolutions, two feature maps, and two 1 × 1
 * convolutions on each of them.
 *
 *     kinds float32[B, 1620, 11], probabilities; boxes float32[B, 1620, 4], offsets
 *
 * The weights depend on the seed. An untrained detector takes each anchor for background with a
 * probability of 0.99.
 */
export function detector(seed: number): LayersModel {
  let draws = 0;
  const initializer = () => initializers.heNormal({seed: 100 * seed + draws++});
  const convolved = (from: SymbolicTensor, {filters, strides}: {filters: number; strides: number}) =>
    layers
      .conv2d({
        ...{filters, strides, kernelSize: 3, padding: 'same', activation: 'relu'},
        kernelInitializer: initializer(),
      })
      .apply(from) as SymbolicTensor;
  const scene = input({shape: [SIDE, SIDE, 1]});
  const maps: SymbolicTensor[] = [];
  let features: SymbolicTensor = scene;
  for (const stage of STAGES) {
    for (const convolution of stage) features = convolved(features, convolution);
    maps.push(features);
  }
  const head = (size: number, biases: number[]) => {
    const ofMaps = maps.map((map, place) => {
      const {cells} = GRIDS[place] as (typeof GRIDS)[number];
      const convolution = layers.conv2d({
        ...{filters: ANCHORS_PER_CELL * size, kernelSize: 1},
        kernelInitializer: initializers.randomNormal({stddev: 0.01, seed: 100 * seed + draws++}),
      });
      const ofCells = convolution.apply(map);
      setBiases(convolution, biases);
      const targetShape = [cells ** 2 * ANCHORS_PER_CELL, size];
      return layers.reshape({targetShape}).apply(ofCells) as SymbolicTensor;
    });
    return layers.concatenate({axis: 1}).apply(ofMaps) as SymbolicTensor;
  };
  const background = Math.log((1 - PRIOR) / (PRIOR / (KINDS - 1)));
  const ofKinds = head(
    KINDS,
    Array.from({length: KINDS}, (_, kind) => (kind === 0 ? background : 0)),
  );
  const kinds = layers.activation({activation: 'softmax', name: 'kinds'}).apply(ofKinds);
  const boxes = layers.activation({activation: 'linear', name: 'boxes'}).apply(head(4, [0, 0, 0, 0]));
  return model({inputs: scene, outputs: [kinds, boxes] as SymbolicTensor[]});
}

type Convolution = ReturnType<typeof layers.conv2d>;

/** Gives each anchor of a cell the same biases; a layer takes no list of them when it is built. */
function setBiases(convolution: Convolution, biases: readonly number[]): void {
  tidy(() => {
    const [kernel] = convolution.getWeights() as [Tensor];
    const ofCell = Array.from({length: ANCHORS_PER_CELL}, () => biases).flat();
    convolution.setWeights([kernel, tensor1d(ofCell)]);
  });
}
