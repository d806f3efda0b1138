/**
 * Online hard example mining for TensorFlow.js: run n examples forward, backpropagate only the k hardest.
 * @module ohem-tfjs
 */

// Losses
export type {
  BinaryCrossentropyOptions,
  CategoricalCrossentropyOptions,
  LayersLoss,
  SparseCategoricalCrossentropyOptions,
} from './losses';
export {
  binaryCrossentropy,
  categoricalCrossentropy,
  fromLayersLoss,
  halfSquaredError,
  meanSquaredError,
  sparseCategoricalCrossentropy,
} from './losses';
// Selectors
export type {
  AboveThresholdOptions,
  HardNegativesOptions,
  NmsTopKOptions,
  PositiveNegativeQuotaOptions,
  RandomKOptions,
  TrimmedTopKOptions,
} from './selectors';
export {
  aboveThreshold,
  all,
  hardNegatives,
  nmsTopK,
  positiveNegativeQuota,
  randomK,
  smallestK,
  topK,
  topKPerGroup,
  trimmedTopK,
} from './selectors';
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
