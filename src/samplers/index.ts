/**
 * Which rows of a data set an epoch trains on: pure functions over JSON state and row scores.
 * @module samplers
 */
export type {EpochRows, RowScores, Sampler} from '../types';
export {type InfoBatchOptions, infoBatch} from './infoBatch';
export {type RandomSubsetOptions, randomSubset, type TurnsTaken} from './randomSubset';
export type {DataSize, EndingOptions} from './sampler';
