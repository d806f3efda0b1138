/**
 * Training steps that backpropagate the hard rows only.
 * @module trainers
 */
export type {BackwardStrategy} from '../gradients/backwardPass';
export type {Granularity, PerSampleLoss, Reduction, Selection, SelectionContext, Selector} from '../types';
export type {ClassWeights} from './classWeights';
export type {LossLike} from './modelLosses';
export {type OhemLossOptions, ohemLoss} from './ohemLoss';
export {type OhemStep, type OhemStepOptions, ohemStep, type StepOptions} from './ohemStep';
export type {SampleWeights, StepTensors} from './stepInputs';
export type {StepReport, StepSummary} from './stepReport';
