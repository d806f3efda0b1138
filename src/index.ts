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
export type {RandomKOptions} from './selectors';
export {all, randomK, topK} from './selectors';
// Trainers
export type {
  BackwardStrategy,
  BestWeights,
  CallbackInstance,
  ClassWeights,
  DatasetItem,
  DatasetItems,
  EpochTotals,
  FitCallback,
  FitOhemArgs,
  FitOhemDatasetArgs,
  FitOptions,
  KeptBySize,
  LossLike,
  OhemDataset,
  OhemHistory,
  OhemLossOptions,
  OhemStep,
  OhemStepOptions,
  RowContext,
  SampleWeights,
  SavingOptions,
  StepOptions,
  StepReport,
  StepSummary,
  StepTensors,
  TrainingState,
  YieldEvery,
} from './trainers';
export {fitOhem, fitOhemDataset, ohemLoss, ohemStep, resumeTraining, saveTraining} from './trainers';
// The vocabulary
export type {
  Keep,
  KeepSchedule,
  Ledger,
  PerSampleLoss,
  Reduction,
  Selection,
  SelectionContext,
  Selector,
} from './types';
