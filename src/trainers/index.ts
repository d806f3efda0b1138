/**
 * Training steps that backpropagate the hard rows only.
 * @module trainers
 */
export type {BackwardStrategy} from '../gradients/backwardPass';
export type {LossLike} from '../models/modelLosses';
export type {StepTensors} from '../models/modelTensors';
export type {
  Granularity,
  KeepSchedule,
  Ledger,
  PerSampleLoss,
  Reduction,
  Selection,
  SelectionContext,
  Selector,
} from '../types';
export type {ClassWeights} from './classWeights';
export type {BestWeights} from './fit/bestWeights';
export type {CallbackInstance, FitCallback} from './fit/callbackList';
export type {DatasetItem, DatasetItems, OhemDataset} from './fit/datasetBatches';
export type {EpochTotals} from './fit/epochTotals';
export type {FitOptions} from './fit/fitOptions';
export type {YieldEvery} from './fit/pacer';
export type {RowContext} from './fit/tensorBatches';
export type {OhemHistory} from './fit/training';
export type {TrainingState} from './fit/trainingState';
export {type FitOhemArgs, fitOhem} from './fitOhem';
export {type FitOhemDatasetArgs, fitOhemDataset} from './fitOhemDataset';
export {type OhemLossOptions, ohemLoss} from './ohemLoss';
export {type OhemStep, ohemStep} from './ohemStep';
export {resumeTraining} from './resumeTraining';
export type {SavingOptions} from './savedTraining';
export {saveTraining} from './saveTraining';
export type {SavedMemory} from './selectorMemory';
export type {SampleWeights} from './stepInputs';
export type {OhemStepOptions, StepOptions} from './stepOptions';
export type {StepReport, StepSummary} from './stepReport';
export type {KeptBySize} from './strategist';
