/**
 * Per-sample losses: one number per example, unreduced.
 * @module losses
 */
export type {LossName, PerSampleLoss} from '../types';
export {type AsymmetricOptions, asymmetric} from './asymmetric';
export {type BinaryCrossentropyOptions, binaryCrossentropy} from './binaryCrossentropy';
export {type BinaryFocalCrossentropyOptions, binaryFocalCrossentropy} from './binaryFocalCrossentropy';
export {type CategoricalCrossentropyOptions, categoricalCrossentropy} from './categoricalCrossentropy';
export {type CategoricalFocalCrossentropyOptions, categoricalFocalCrossentropy} from './categoricalFocalCrossentropy';
export {categoricalHinge} from './categoricalHinge';
export {cosineSimilarity} from './cosineSimilarity';
export {fromLayersLoss, type LayersLoss} from './fromLayersLoss';
export {hinge, squaredHinge} from './hinge';
export {type HuberOptions, huber, type SmoothL1Options, smoothL1} from './huber';
export {type JointLoss, jointLoss} from './jointLoss';
export {kullbackLeiblerDivergence} from './kullbackLeiblerDivergence';
export {type LdamOptions, ldam} from './ldam';
export {logCosh} from './logCosh';
export {meanAbsoluteError} from './meanAbsoluteError';
export {type MultiMarginOptions, multiMargin} from './multiMargin';
export {poisson} from './poisson';
export {type Poly1Options, poly1} from './poly1';
export {
  type SparseCategoricalCrossentropyOptions,
  sparseCategoricalCrossentropy,
} from './sparseCategoricalCrossentropy';
export {halfSquaredError, meanSquaredError} from './squaredError';
export {type WeightedLoss, weightedSum} from './weightedSum';
