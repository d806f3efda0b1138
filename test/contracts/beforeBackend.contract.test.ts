/** @file What is built at the top of a user's module, before `await tf.setBackend(…)`. No test in this file sets a backend. */
import '@tensorflow/tfjs-backend-wasm';
import {
  accuracySteps,
  all,
  binaryCrossentropy,
  categoricalCrossentropy,
  constant,
  fromLayersLoss,
  gradientNormBound,
  halfSquaredError,
  importanceSampling,
  linear,
  meanSquaredError,
  ohemLoss,
  percentileSampling,
  randomK,
  rankPressure,
  rankSampling,
  reducibleLoss,
  scheduled,
  scored,
  sparseCategoricalCrossentropy,
  topK,
  window,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';

const FACTORIES = {
  all,
  binaryCrossentropy,
  categoricalCrossentropy: () => categoricalCrossentropy({labelSmoothing: 0.1, classWeights: [1, 2]}),
  fromLayersLoss: () => fromLayersLoss('hinge'),
  gradientNormBound,
  halfSquaredError,
  importanceSampling: () => importanceSampling({k: 3, seed: 1}),
  meanSquaredError,
  ohemLoss: () => ohemLoss(meanSquaredError(), topK({k: 3})),
  percentileSampling: () => percentileSampling({power: 2, seed: 1}),
  randomK: () => randomK({ratio: 0.5, seed: 1}),
  rankPressure: () => rankPressure({k: 3, pressure: 10, seed: 1}),
  rankSampling: () => rankSampling({ratio: 0.5, seed: 1}),
  reducibleLoss,
  scheduled: () => scheduled(topK, linear({from: 1, to: 0.5, steps: 10})),
  scored: () => scored(topK({k: 3}), reducibleLoss()),
  sparseCategoricalCrossentropy: () => sparseCategoricalCrossentropy({ignoreLabel: 255, classWeights: [1, 2]}),
  topK: () => topK({ratio: 0.5}),
};

const SCHEDULES = {
  accuracySteps: () => accuracySteps([[0.9, 2]]),
  constant: () => constant(0.5),
  linear: () => linear({from: 1, to: 0.5, steps: 10}),
  window: () => window({start: 10, end: 20}),
};

describe('Before a backend is ready', () => {
  it.each(Object.entries(FACTORIES))('%s can be built', (_, build) => {
    expect(build()).toBeTypeOf('function');
  });

  it.each(Object.entries(SCHEDULES))('%s can be built', (_, build) => {
    expect(build().init).toBeTypeOf('function');
  });

  it('everything is tried that needs no model', async () => {
    const exported = Object.keys(await import('ohem-tfjs')).filter((name) => name !== 'ohemStep');
    expect(Object.keys({...FACTORIES, ...SCHEDULES}).sort()).toEqual(exported.sort());
  });
});
