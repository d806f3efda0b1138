/**
 * Training steps that backpropagate only the hard rows.
 * @module trainers
 */
export type {RowContext, SampleWeights, StepOptions} from '../data/batchOptions';
export {type ClassBalancedOptions, classBalanced} from '../data/classBalanced';
export type {ClassWeights} from '../data/classWeights';
export type {DatasetItem, DatasetItems, OhemDataset} from '../data/datasetBatches';
export type {FunctionModel, TrainableModel} from '../models/functionModel';
export type {OptimizerName} from '../models/model';
export type {Losses, LossLike} from '../models/modelLosses';
export type {StepTensors} from '../models/modelTensors';
export type {
  DynamicsOptions,
  EpochRows,
  GlobalThreshold,
  Granularity,
  KeepSchedule,
  LearningRateSchedule,
  Ledger,
  LossName,
  PerSampleLoss,
  Reduction,
  RowDynamics,
  RowScores,
  Sampler,
  Selection,
  SelectionContext,
  Selector,
  TrainingProgress,
} from '../types';
export {
  type CheckGradientsOptions,
  checkGradients,
  type GradientCheck,
  type GradientDifference,
} from './checkGradients';
export {resumeTraining} from './checkpoint/resumeTraining';
export type {SavingOptions} from './checkpoint/savedTraining';
export {saveTraining} from './checkpoint/saveTraining';
export type {TrainingState} from './checkpoint/trainingState';
export {type CoTeachingOptions, type CoTeachingStep, coTeaching} from './coTeaching';
export {type CrossValidatedOptions, crossValidated} from './crossValidated';
export type {CallbackInstance, FitCallback, YieldEvery} from './fit/callbacks';
export type {BestWeights, EpochTotals} from './fit/epochs';
export type {ClassWeightSchedule, FitOptions} from './fit/fitOptions';
export type {Budget, Spent} from './fit/pace';
export type {OhemHistory} from './fit/training';
export {type FitOhemArgs, fitOhem} from './fitOhem';
export {type FitOhemDatasetArgs, fitOhemDataset} from './fitOhemDataset';
export {type OhemLossOptions, ohemLoss} from './ohemLoss';
export {type OhemStep, ohemStep, type StepGradients} from './ohemStep';
export type {BackwardStrategy, OhemStepOptions} from './step/options';
export type {StepReport, StepSummary} from './step/report';
export type {SavedMemory} from './step/selection';
export {
  type BackendFigure,
  type BackendSuggestion,
  type SuggestBackendOptions,
  suggestBackend,
} from './suggestBackend';
