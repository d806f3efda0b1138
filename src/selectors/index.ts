/**
 * Mining rules: which rows of a batch are backpropagated.
 * @module selectors
 */
export type {Keep, Selection, SelectionContext, Selector} from '../types';
export {type AboveThresholdOptions, aboveThreshold} from './aboveThreshold';
export {all} from './all';
export {type HardNegativesOptions, hardNegatives} from './hardNegatives';
export {type NmsTopKOptions, nmsTopK} from './nmsTopK';
export {type PositiveNegativeQuotaOptions, positiveNegativeQuota} from './positiveNegativeQuota';
export {type RandomKOptions, randomK} from './randomK';
export {smallestK} from './smallestK';
export {topK} from './topK';
export {topKPerGroup} from './topKPerGroup';
export {type TrimmedTopKOptions, trimmedTopK} from './trimmedTopK';
