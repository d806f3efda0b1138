/**
 * Hard rows of a data set, and the reasons why they are hard.
 * @module insight
 */
export type {FunctionModel, TrainableModel} from '../models/functionModel';
export type {Losses, LossLike} from '../models/modelLosses';
export type {StepTensors} from '../models/modelTensors';
export type {
  DynamicsOptions,
  GlobalThreshold,
  LossName,
  PerSampleLoss,
  RowDynamics,
  Selection,
  ShardLosses,
} from '../types';
export {type HardExample, type HardestExamplesOptions, hardestExamples} from './hardestExamples';
export {type HardestLosses, type HardestLossesOptions, hardestLosses} from './hardestLosses';
export {type LabelIssues, type LabelIssuesOptions, labelIssues} from './labelIssues';
export type {ExampleValue, LabelAndPrediction} from './labelsAndPredictions';
export type {ObservedStep} from './ledgerBatch';
export type {MiningLedgerJSON} from './ledgerRows';
export {type LossHistogram, type LossHistogramOptions, lossHistogram} from './lossHistogram';
export type {SuspectsByMarginOptions} from './marginThreshold';
export {
  type Cartography,
  type MiningLedger,
  type MiningLedgerFactory,
  type MiningLedgerOptions,
  miningLedger,
} from './miningLedger';
export {type PerSampleLossesOptions, perSampleLosses} from './perSampleLosses';
export {type SubsetOptions, subset} from './subset';
export {type ThresholdSamples, type ThresholdSamplesOptions, thresholdSamples} from './thresholdSamples';
