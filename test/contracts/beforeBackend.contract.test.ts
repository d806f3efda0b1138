/** @file What is built at the top of a user's module, before `await tf.setBackend(…)`. No test in this file sets a backend. */
import '@tensorflow/tfjs-backend-wasm';
import {
  all,
  binaryCrossentropy,
  categoricalCrossentropy,
  fromLayersLoss,
  halfSquaredError,
  meanSquaredError,
  ohemLoss,
  randomK,
  sparseCategoricalCrossentropy,
  topK,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';

const FACTORIES = {
  all,
  binaryCrossentropy,
  categoricalCrossentropy: () => categoricalCrossentropy({labelSmoothing: 0.1, classWeights: [1, 2]}),
  fromLayersLoss: () => fromLayersLoss('hinge'),
  halfSquaredError,
  meanSquaredError,
  ohemLoss: () => ohemLoss(meanSquaredError(), topK({k: 3})),
  randomK: () => randomK({ratio: 0.5, seed: 1}),
  sparseCategoricalCrossentropy: () => sparseCategoricalCrossentropy({ignoreLabel: 255, classWeights: [1, 2]}),
  topK: () => topK({ratio: 0.5}),
};

describe('Before a backend is ready', () => {
  it.each(Object.entries(FACTORIES))('%s can be built', (_, build) => {
    expect(build()).toBeTypeOf('function');
  });

  it('everything is tried that needs no model', async () => {
    const withModel = ['fitOhem', 'fitOhemDataset', 'ohemStep', 'resumeTraining', 'saveTraining'];
    const exported = Object.keys(await import('ohem-tfjs')).filter((name) => !withModel.includes(name));
    expect(Object.keys(FACTORIES).sort()).toEqual(exported.sort());
  });
});
