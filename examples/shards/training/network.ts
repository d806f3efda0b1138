import {type Tensor, train, type Variable} from '@tensorflow/tfjs-core';
import {initializers, type LayersModel, layers, regularizers, sequential} from '@tensorflow/tfjs-layers';
import {CLASSES, IMAGE_SIZE} from '../../mnist/data/digits';
import type {Settings} from './settings';

const glorot = (seed: number) => initializers.glorotNormal({seed});
const penalty = () => regularizers.l2({l2: 1e-4});

/**
 * Builds the network that every shard trains; the same first weights for the same seed.
 *
 *     784 → hidden ReLU → 10 softmax, with an L2 penalty
 */
export function network({hidden, seed}: Pick<Settings, 'hidden' | 'seed'>): LayersModel {
  return sequential({
    layers: [
      layers.dense({
        inputShape: [IMAGE_SIZE],
        units: hidden,
        activation: 'relu',
        kernelInitializer: glorot(2 * seed + 1),
        kernelRegularizer: penalty(),
      }),
      layers.dense({
        units: CLASSES,
        activation: 'softmax',
        kernelInitializer: glorot(2 * seed + 2),
        kernelRegularizer: penalty(),
      }),
    ],
  });
}

/** Builds the optimizer of every shard. */
export const optimizerOf = ({learningRate}: Pick<Settings, 'learningRate'>) => train.momentum(learningRate, 0.9);

/** The weights to train, in an order that is the same in all processes; their names differ. */
export const variablesOf = (model: LayersModel): Variable[] =>
  model.trainableWeights.map((weight) => weight.read() as Variable);

/** How many numbers the gradients of the network have, without building it. */
export const gradientSize = ({hidden}: Pick<Settings, 'hidden'>): number =>
  (IMAGE_SIZE + 1) * hidden + (hidden + 1) * CLASSES;

/** How many numbers tensors have. */
export const sizeOf = (tensors: readonly Tensor[]): number => tensors.reduce((total, {size}) => total + size, 0);
