/**
 * Choice of the rows that an epoch trains on: pure functions over JSON state and row scores.
 * @module samplers
 */
export type {EpochRows, RowScores, Sampler} from '../types';
export {type EarlyStoppedOptions, earlyStopped, type LossHistory} from './earlyStopped';
export {type EasiestFirstOptions, easiestFirst, type Pacing} from './easiestFirst';
export {type HardestRowsOptions, hardestRows} from './hardestRows';
export {type InfoBatchOptions, infoBatch} from './infoBatch';
export {type KakurenboOptions, kakurenbo} from './kakurenbo';
export {type RandomSubsetOptions, randomSubset, type TurnsTaken} from './randomSubset';
export type {DataSize, EndingOptions} from './sampler';
export {type SelectiveBackpropOptions, selectiveBackprop} from './selectiveBackprop';
export {type StaleOptions, stale} from './stale';
