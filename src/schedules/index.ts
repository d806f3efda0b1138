/**
 * Keep ratios over training: pure functions over JSON state.
 * @module schedules
 */
export type {KeepSchedule} from '../types';
export {accuracySteps} from './accuracySteps';
export {constant} from './constant';
export {type LinearOptions, linear} from './linear';
export {type WindowOptions, window} from './window';
