/** @file What is built at the top of a user's module, before `await tf.setBackend(…)`. No test in this file sets a backend. */
import '@tensorflow/tfjs-backend-wasm';
import {
  all,
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  categoricalHinge,
  cosineSimilarity,
  fromLayersLoss,
  halfSquaredError,
  hinge,
  huber,
  kullbackLeiblerDivergence,
  logCosh,
  meanAbsoluteError,
  meanSquaredError,
  multiMargin,
  ohemLoss,
  poisson,
  randomK,
  smoothL1,
  sparseCategoricalCrossentropy,
  squaredHinge,
  topK,
  weightedSum,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';

const FACTORIES = {
  all,
  binaryCrossentropy,
  binaryFocalCrossentropy: () => binaryFocalCrossentropy({alpha: 0.25}),
  categoricalCrossentropy: () => categoricalCrossentropy({labelSmoothing: 0.1, classWeights: [1, 2]}),
  categoricalFocalCrossentropy: () => categoricalFocalCrossentropy({alpha: [0.25, 0.5]}),
  categoricalHinge,
  cosineSimilarity,
  fromLayersLoss: () => fromLayersLoss('hinge'),
  halfSquaredError,
  hinge,
  huber,
  kullbackLeiblerDivergence,
  logCosh,
  meanAbsoluteError,
  meanSquaredError,
  multiMargin,
  ohemLoss: () => ohemLoss(meanSquaredError(), topK({k: 3})),
  poisson,
  randomK: () => randomK({ratio: 0.5, seed: 1}),
  smoothL1,
  sparseCategoricalCrossentropy: () => sparseCategoricalCrossentropy({ignoreLabel: 255, classWeights: [1, 2]}),
  squaredHinge,
  topK: () => topK({ratio: 0.5}),
  weightedSum: () => weightedSum([{loss: hinge()}]),
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
