/**
 * Keep ratios and learning rates over training: pure functions, the former over JSON state.
 * @module schedules
 */
export type {KeepSchedule, LearningRateSchedule, TrainingProgress} from '../types';
export {accuracySteps} from './accuracySteps';
export {constant} from './constant';
export {type CosineOptions, cosine} from './cosine';
export {type InverseSqrtOptions, inverseSqrt} from './inverseSqrt';
export {type LinearOptions, linear} from './linear';
export {type OneCycleOptions, oneCycle} from './oneCycle';
export type {RateByProgress} from './rateByProgress';
export {type StepDecayOptions, stepDecay} from './stepDecay';
export {type WindowOptions, window} from './window';
