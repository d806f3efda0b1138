/**
 * Per-sample losses: one number an example, unreduced.
 * @module losses
 */
export type {PerSampleLoss} from '../types';
export {type BinaryCrossentropyOptions, binaryCrossentropy} from './binaryCrossentropy';
export {type CategoricalCrossentropyOptions, categoricalCrossentropy} from './categoricalCrossentropy';
export {fromLayersLoss, type LayersLoss} from './fromLayersLoss';
export {
  type SparseCategoricalCrossentropyOptions,
  sparseCategoricalCrossentropy,
} from './sparseCategoricalCrossentropy';
export {halfSquaredError, meanSquaredError} from './squaredError';
