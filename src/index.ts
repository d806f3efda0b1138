/**
 * Online hard example mining for TensorFlow.js: run n examples forward, backpropagate only the k hardest.
 * @module ohem-tfjs
 */

// Losses
export type {
  BinaryCrossentropyOptions,
  BinaryFocalCrossentropyOptions,
  CategoricalCrossentropyOptions,
  CategoricalFocalCrossentropyOptions,
  HuberOptions,
  LayersLoss,
  MultiMarginOptions,
  SmoothL1Options,
  SparseCategoricalCrossentropyOptions,
  WeightedLoss,
} from './losses';
export {
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
  poisson,
  smoothL1,
  sparseCategoricalCrossentropy,
  squaredHinge,
  weightedSum,
} from './losses';
// Selectors
export type {RandomKOptions} from './selectors';
export {all, randomK, topK} from './selectors';
// Trainers
export type {
  BackwardStrategy,
  ClassWeights,
  LossLike,
  OhemLossOptions,
  OhemStep,
  OhemStepOptions,
  SampleWeights,
  StepOptions,
  StepReport,
  StepSummary,
  StepTensors,
} from './trainers';
export {ohemLoss, ohemStep} from './trainers';
// The vocabulary
export type {Keep, PerSampleLoss, Reduction, Selection, SelectionContext, Selector} from './types';
