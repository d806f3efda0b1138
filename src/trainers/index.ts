/**
 * Training steps that backpropagate the hard rows only.
 * @module trainers
 */
export type {BackwardStrategy} from '../gradients/backwardPass';
export type {LossLike} from '../models/modelLosses';
export type {StepTensors} from '../models/modelTensors';
export type {Granularity, PerSampleLoss, Reduction, Selection, SelectionContext, Selector} from '../types';
export type {ClassWeights} from './classWeights';
export {type OhemLossOptions, ohemLoss} from './ohemLoss';
export {type OhemStep, type OhemStepOptions, ohemStep, type StepOptions} from './ohemStep';
export type {SampleWeights} from './stepInputs';
export type {StepReport, StepSummary} from './stepReport';
