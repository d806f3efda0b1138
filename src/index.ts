/**
 * Online hard example mining for TensorFlow.js: run n examples forward, backpropagate only the k hardest.
 * @module ohem-tfjs
 */

// Insight
export type {
  ExampleValue,
  HardExample,
  HardestExamplesOptions,
  LabelAndPrediction,
  LossHistogram,
  LossHistogramOptions,
  MiningLedger,
  MiningLedgerFactory,
  MiningLedgerJSON,
  ObservedStep,
  PerSampleLossesOptions,
} from './insight';
export {hardestExamples, lossHistogram, miningLedger, perSampleLosses} from './insight';
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
