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
// Schedules
export type {LinearOptions, WindowOptions} from './schedules';
export {accuracySteps, constant, linear, window} from './schedules';
// Selectors
export type {
  AboveThresholdOptions,
  DrawOptions,
  GradientNormBoundOptions,
  HardNegativesOptions,
  ImportanceSamplingOptions,
  NmsTopKOptions,
  PercentileSamplingOptions,
  PositiveNegativeQuotaOptions,
  RandomKOptions,
  RankPressureOptions,
  RankSamplingOptions,
  ScheduledSelector,
  Score,
  SelectionMap,
  TrimmedTopKOptions,
} from './selectors';
export {
  aboveThreshold,
  all,
  gradientNormBound,
  hardNegatives,
  importanceSampling,
  mapSelector,
  nmsTopK,
  percentileSampling,
  positiveNegativeQuota,
  randomK,
  rankPressure,
  rankSampling,
  reducibleLoss,
  scheduled,
  scored,
  smallestK,
  topK,
  topKPerGroup,
  trimmedTopK,
} from './selectors';
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
  LossLike,
  OhemDataset,
  OhemHistory,
  OhemLossOptions,
  OhemStep,
  OhemStepOptions,
  RowContext,
  SampleWeights,
  SavedMemory,
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
  Granularity,
  Keep,
  KeepSchedule,
  Ledger,
  PerSampleLoss,
  Reduction,
  Selection,
  SelectionContext,
  Selector,
} from './types';
