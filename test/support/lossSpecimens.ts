/** @file Every loss, with the options and the rows that it is tried with. */
import {cast, oneHot, type Tensor, tensor} from '@tensorflow/tfjs-core';
import {
  asymmetric,
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
  ldam,
  logCosh,
  meanAbsoluteError,
  meanSquaredError,
  multiMargin,
  type PerSampleLoss,
  poisson,
  poly1,
  smoothL1,
  sparseCategoricalCrossentropy,
  squaredHinge,
  weightedSum,
} from 'ohem-tfjs';
import {filled, uniform} from './lossCases';
import {randomFrom} from './property';

type Prediction = 'probabilities' | 'numbers';
type Truth = 'oneHot' | 'labels' | 'zeroOrOne' | Prediction;

/** A loss, and what it is tried with. */
export interface Specimen {
  loss: PerSampleLoss;
  truth: Truth;
  prediction: Prediction;
}

const on = (truth: Truth, prediction: Prediction, loss: PerSampleLoss): Specimen => ({loss, truth, prediction});
const classWeights = [0.5, 2, 1, 0];

/** Every exported loss, with the options that it is tried with. */
export const LOSSES: Record<string, Record<string, Specimen>> = {
  asymmetric: {
    '': on('zeroOrOne', 'probabilities', asymmetric()),
    fromLogits: on('zeroOrOne', 'numbers', asymmetric({fromLogits: true})),
    detach: on('zeroOrOne', 'numbers', asymmetric({fromLogits: true, detach: true})),
    'gammas, no clip': on('zeroOrOne', 'probabilities', asymmetric({gammaNegative: 2, gammaPositive: 0, clip: 0})),
    'fromLogits, gammas, no clip': on(
      'zeroOrOne',
      'numbers',
      asymmetric({fromLogits: true, gammaNegative: 0.5, gammaPositive: 2, clip: 0}),
    ),
    ignoreLabel: on('zeroOrOne', 'numbers', asymmetric({fromLogits: true, ignoreLabel: 1})),
  },
  binaryCrossentropy: {
    '': on('zeroOrOne', 'probabilities', binaryCrossentropy()),
    labelSmoothing: on('zeroOrOne', 'probabilities', binaryCrossentropy({labelSmoothing: 0.1})),
    fromLogits: on('zeroOrOne', 'numbers', binaryCrossentropy({fromLogits: true})),
    ignoreLabel: on('zeroOrOne', 'numbers', binaryCrossentropy({fromLogits: true, ignoreLabel: 1})),
  },
  binaryFocalCrossentropy: {
    '': on('zeroOrOne', 'probabilities', binaryFocalCrossentropy()),
    'gamma, alpha': on('zeroOrOne', 'probabilities', binaryFocalCrossentropy({gamma: 0.5, alpha: 0.25})),
    fromLogits: on('zeroOrOne', 'numbers', binaryFocalCrossentropy({fromLogits: true})),
    'fromLogits, gamma, alpha': on(
      'zeroOrOne',
      'numbers',
      binaryFocalCrossentropy({fromLogits: true, gamma: 0.5, alpha: 0.25}),
    ),
    'gamma: 0': on('zeroOrOne', 'probabilities', binaryFocalCrossentropy({gamma: 0, alpha: 0.25})),
    ignoreLabel: on('zeroOrOne', 'probabilities', binaryFocalCrossentropy({ignoreLabel: 0})),
  },
  categoricalCrossentropy: {
    '': on('oneHot', 'probabilities', categoricalCrossentropy()),
    labelSmoothing: on('oneHot', 'probabilities', categoricalCrossentropy({labelSmoothing: 0.1})),
    'fromLogits, classWeights': on('oneHot', 'numbers', categoricalCrossentropy({fromLogits: true, classWeights})),
    'labelSmoothing, classWeights': on(
      'oneHot',
      'probabilities',
      categoricalCrossentropy({labelSmoothing: 0.1, classWeights}),
    ),
  },
  categoricalFocalCrossentropy: {
    ignoreLabel: on('oneHot', 'probabilities', categoricalFocalCrossentropy({ignoreLabel: 1})),
    'ignoreLabel: 255': on('oneHot', 'numbers', categoricalFocalCrossentropy({fromLogits: true, ignoreLabel: 255})),
    '': on('oneHot', 'probabilities', categoricalFocalCrossentropy()),
    'gamma, alpha': on('oneHot', 'probabilities', categoricalFocalCrossentropy({gamma: 0.5, alpha: [0, 0.5, 1, 1]})),
    fromLogits: on('oneHot', 'numbers', categoricalFocalCrossentropy({fromLogits: true})),
    'fromLogits, gamma': on('oneHot', 'numbers', categoricalFocalCrossentropy({fromLogits: true, gamma: 0.5})),
    'gamma: 0': on('oneHot', 'probabilities', categoricalFocalCrossentropy({gamma: 0})),
  },
  categoricalHinge: {'': on('oneHot', 'numbers', categoricalHinge())},
  cosineSimilarity: {'': on('numbers', 'numbers', cosineSimilarity())},
  fromLayersLoss: {
    meanAbsolutePercentageError: on('numbers', 'numbers', fromLayersLoss('meanAbsolutePercentageError')),
  },
  halfSquaredError: {'': on('numbers', 'numbers', halfSquaredError())},
  hinge: {'': on('zeroOrOne', 'numbers', hinge())},
  huber: {
    '': on('numbers', 'numbers', huber()),
    delta: on('numbers', 'numbers', huber({delta: 3})),
  },
  kullbackLeiblerDivergence: {'': on('probabilities', 'probabilities', kullbackLeiblerDivergence())},
  ldam: {
    '': on('oneHot', 'numbers', ldam({counts: [100, 50, 10, 1]})),
    'maxMargin, scale, classWeights': on(
      'oneHot',
      'numbers',
      ldam({counts: [1, 2, 3, 4], maxMargin: 2, scale: 1, classWeights}),
    ),
  },
  logCosh: {'': on('numbers', 'numbers', logCosh())},
  meanAbsoluteError: {'': on('numbers', 'numbers', meanAbsoluteError())},
  meanSquaredError: {'': on('numbers', 'numbers', meanSquaredError())},
  multiMargin: {
    '': on('oneHot', 'numbers', multiMargin()),
    margin: on('oneHot', 'numbers', multiMargin({margin: 4})),
  },
  poisson: {'': on('zeroOrOne', 'probabilities', poisson())},
  poly1: {
    '': on('oneHot', 'probabilities', poly1()),
    'epsilon, classWeights': on('oneHot', 'probabilities', poly1({epsilon: -0.5, classWeights})),
    'fromLogits, epsilon': on('oneHot', 'numbers', poly1({fromLogits: true, epsilon: 3})),
  },
  smoothL1: {
    '': on('numbers', 'numbers', smoothL1()),
    beta: on('numbers', 'numbers', smoothL1({beta: 3})),
  },
  sparseCategoricalCrossentropy: {
    '': on('labels', 'probabilities', sparseCategoricalCrossentropy()),
    ignoreLabel: on('labels', 'probabilities', sparseCategoricalCrossentropy({ignoreLabel: 1})),
    'fromLogits, classWeights': on(
      'labels',
      'numbers',
      sparseCategoricalCrossentropy({fromLogits: true, classWeights}),
    ),
  },
  squaredHinge: {'': on('zeroOrOne', 'numbers', squaredHinge())},
  weightedSum: {
    '': on('numbers', 'numbers', weightedSum([{loss: meanSquaredError()}, {loss: huber(), weight: 0.5}])),
    valid: on(
      'labels',
      'probabilities',
      weightedSum([{loss: sparseCategoricalCrossentropy({ignoreLabel: 1}), weight: 2}]),
    ),
  },
};

const DRAWS: Record<Truth | Prediction, (random: () => number) => () => number> = {
  oneHot: (random) => () => Math.floor(4 * random()),
  labels: (random) => () => Math.floor(4 * random()),
  zeroOrOne: (random) => () => Math.floor(2 * random()),
  numbers: (random) => uniform(random, -8, 8),
  probabilities: (random) => uniform(random, 0.001, 0.999),
};

/** Predictions that are very wrong for one class or another, equal, or nothing at all. */
export const EXTREMES: Record<Prediction, number[][]> = {
  numbers: [
    [80, -80, 0, 80],
    [-80, 80, -80, -80],
    [1e4, -1e4, 0, 1],
    [0, 0, 0, 0],
    [1e-30, -1e-30, 0, 0],
  ],
  probabilities: [
    [1e-30, 1, 0, 0.5],
    [1, 1e-30, 1e-30, 1e-30],
    [1 - 2 ** -24, 2 ** -24, 0, 0],
    [0, 0, 0, 0],
    [1, 1, 1, 1],
  ],
};

/** A truth and a prediction as the loss takes them. */
export function rowsFor({truth, prediction}: Specimen, shape: number[], seed: number): [Tensor, Tensor] {
  const random = randomFrom(seed);
  const ofTruth = truth === 'oneHot' || truth === 'labels' ? shape.slice(0, -1) : shape;
  const drawn = tensor(filled(ofTruth, DRAWS[truth](random)), ofTruth);
  const yTrue = truth === 'oneHot' ? oneHot(cast(drawn, 'int32'), 4) : drawn;
  return [yTrue, tensor(filled(shape, DRAWS[prediction](random)), shape)];
}
