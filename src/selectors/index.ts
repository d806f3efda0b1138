/**
 * Mining rules: which rows of a batch are backpropagated.
 * @module selectors
 */
export type {Keep, Selection, SelectionContext, Selector} from '../types';
export {all} from './all';
export {type GradientNormBoundOptions, gradientNormBound} from './gradientNormBound';
export {type ImportanceSamplingOptions, importanceSampling} from './importanceSampling';
export {type PercentileSamplingOptions, percentileSampling} from './percentileSampling';
export {type RandomKOptions, randomK} from './randomK';
export {type RankPressureOptions, rankPressure} from './rankPressure';
export {type RankSamplingOptions, rankSampling} from './rankSampling';
export {reducibleLoss} from './reducibleLoss';
export {type ScheduledSelector, scheduled} from './scheduled';
export {type Score, scored} from './scored';
export {topK} from './topK';
