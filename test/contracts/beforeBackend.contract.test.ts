/** @file What is built at the top of a user's module, before `await tf.setBackend(…)`. No test in this file sets a backend. */
import '@tensorflow/tfjs-backend-wasm';
import {
  aboveThreshold,
  all,
  binaryCrossentropy,
  categoricalCrossentropy,
  fromLayersLoss,
  halfSquaredError,
  hardNegatives,
  meanSquaredError,
  nmsTopK,
  ohemLoss,
  positiveNegativeQuota,
  randomK,
  smallestK,
  sparseCategoricalCrossentropy,
  topK,
  topKPerGroup,
  trimmedTopK,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';

const FACTORIES = {
  aboveThreshold: () => aboveThreshold({probability: 0.7, minRatio: 0.1}),
  all,
  binaryCrossentropy,
  categoricalCrossentropy: () => categoricalCrossentropy({labelSmoothing: 0.1, classWeights: [1, 2]}),
  fromLayersLoss: () => fromLayersLoss('hinge'),
  halfSquaredError,
  hardNegatives,
  meanSquaredError,
  nmsTopK: () => nmsTopK({k: 3, iouThreshold: 0.5}),
  ohemLoss: () => ohemLoss(meanSquaredError(), topK({k: 3})),
  positiveNegativeQuota: () => positiveNegativeQuota({k: 8, positiveFraction: 0.25}),
  randomK: () => randomK({ratio: 0.5, seed: 1}),
  smallestK: () => smallestK({k: 3}),
  sparseCategoricalCrossentropy: () => sparseCategoricalCrossentropy({ignoreLabel: 255, classWeights: [1, 2]}),
  topK: () => topK({ratio: 0.5}),
  topKPerGroup: () => topKPerGroup({k: 3}),
  trimmedTopK: () => trimmedTopK({k: 3, skip: 1}),
};

describe('Before a backend is ready', () => {
  it.each(Object.entries(FACTORIES))('%s can be built', (_, build) => {
    expect(build()).toBeTypeOf('function');
  });

  it('everything is tried that needs no model', async () => {
    const exported = Object.keys(await import('ohem-tfjs')).filter((name) => name !== 'ohemStep');
    expect(Object.keys(FACTORIES).sort()).toEqual(exported.sort());
  });
});
