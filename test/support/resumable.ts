/** @file A small training that can be stopped anywhere, and resumed. */
import {type Optimizer, oneHot, randomNormal, tensor1d, tidy, train} from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {
  type FitOhemArgs,
  fitOhem,
  type KeepSchedule,
  randomK,
  resumeTraining,
  type Selector,
  saveTraining,
  type TrainingState,
} from 'ohem-tfjs';
import {shelf} from './shelf';

/** Keeps fewer rows over time; counts on its own, so that its state matters. */
const shrinking: KeepSchedule<{ratio: number}> = {
  init: () => ({ratio: 1}),
  ratio: ({ratio}) => ratio,
  next: ({ratio}, {accuracy}) => ({ratio: Math.max(0.25, accuracy === undefined ? ratio * 0.97 : ratio * 0.9)}),
};

/** Draws at random, as many rows as its schedule says. */
export function scheduledDraw(): Selector {
  const select: Selector = (losses, context) => {
    const state = (context?.schedule ?? shrinking.init()) as {ratio: number};
    return randomK({ratio: shrinking.ratio(state, {step: context?.step ?? 0}), seed: 4})(losses, context);
  };
  return Object.assign(select, {schedule: shrinking as KeepSchedule});
}

export const OPTIMIZERS: Record<string, () => Optimizer> = {
  sgd: () => train.sgd(0.1),
  momentum: () => train.momentum(0.1, 0.9),
  adagrad: () => train.adagrad(0.1),
  adadelta: () => train.adadelta(0.1),
  adam: () => train.adam(0.05),
  adamax: () => train.adamax(0.05),
  rmsprop: () => train.rmsprop(0.05, 0.9, 0.1),
};

export function resumableModel(optimizer: Optimizer = train.adam(0.05)): LayersModel {
  const kernel = (seed: number) => ({kernelInitializer: {className: 'GlorotNormal', config: {seed}} as never});
  const model = sequential({
    layers: [
      layers.dense({units: 6, activation: 'tanh', inputShape: [4], ...kernel(1)}),
      layers.batchNormalization(),
      layers.dense({units: 3, activation: 'softmax', ...kernel(2)}),
    ],
  });
  model.compile({optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy']});
  return model;
}

export const resumableData = () => ({
  xs: randomNormal([40, 4], 0, 1, 'float32', 3),
  ys: tidy(() => oneHot(tensor1d(Int32Array.from({length: 40}, (_, row) => (row * 5 + 1) % 3)), 3)),
});

/** Four steps an epoch. */
export const RESUMABLE = (): FitOhemArgs => ({
  batchSize: 12,
  epochs: 5,
  seed: 'run',
  verbose: 0,
  select: scheduledDraw(),
});

/**
 * Trains a model for two epochs, and another one for the second of them, from what was saved after
 * the first.
 */
export async function resumedInTheMiddle(make: () => LayersModel): Promise<{whole: LayersModel; resumed: LayersModel}> {
  const {xs, ys} = resumableData();
  const {save, at} = shelf();
  const [whole, resumed] = [make(), make()];
  const checkpoint = (state: TrainingState) => saveTraining({save}, whole, state);
  await fitOhem(whole, xs, ys, {...RESUMABLE(), epochs: 2, checkpoint});
  const initialState = await resumeTraining(at(0), resumed);
  await fitOhem(resumed, xs, ys, {...RESUMABLE(), epochs: 2, initialState});
  return {whole, resumed};
}
