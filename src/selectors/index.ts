/**
 * Mining rules: the choice of the rows of a batch that are backpropagated.
 * @module selectors
 */
export type {
  GlobalThreshold,
  Keep,
  Selection,
  SelectionContext,
  Selector,
  SelectorStore,
  ShardLosses,
  ValidationBatch,
  ValidationPass,
} from '../types';
export {type AboveThresholdOptions, aboveThreshold} from './aboveThreshold';
export {all} from './all';
export {type DiversifiedOptions, diversified} from './diversified';
export {type GhmOptions, ghm} from './ghm';
export {type GlobalTopKOptions, globalTopK} from './globalTopK';
export {type GradientNormBoundOptions, gradientNormBound} from './gradientNormBound';
export {type HardNegativesOptions, hardNegatives} from './hardNegatives';
export {type ImportanceSamplingOptions, importanceSampling} from './importanceSampling';
export {type IouBalancedNegativesOptions, iouBalancedNegatives} from './iouBalancedNegatives';
export type {LastLayerOptions} from './lastLayer';
export {mapSelector, type SelectionMap} from './mapSelector';
export {type NmsTopKOptions, nmsTopK} from './nmsTopK';
export type {DrawOptions} from './noise';
export {type PercentileSamplingOptions, percentileSampling} from './percentileSampling';
export {type PositiveNegativeQuotaOptions, positiveNegativeQuota} from './positiveNegativeQuota';
export {type RandomKOptions, randomK} from './randomK';
export {type RankPressureOptions, rankPressure} from './rankPressure';
export {type RankSamplingOptions, rankSampling} from './rankSampling';
export {reducibleLoss} from './reducibleLoss';
export {type ScheduledSelector, scheduled} from './scheduled';
export {type Score, scored} from './scored';
export {type SelfPacedKind, type SelfPacedOptions, selfPacedWeights} from './selfPacedWeights';
export {smallestK} from './smallestK';
export {type SuperLossOptions, superLoss} from './superLoss';
export {type ThresholdOfOptions, thresholdOf} from './thresholdOf';
export {topK} from './topK';
export {topKPerGroup} from './topKPerGroup';
export {type TowardsOptions, towards} from './towards';
export {type TrimmedTopKOptions, trimmedTopK} from './trimmedTopK';
