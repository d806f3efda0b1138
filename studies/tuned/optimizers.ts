import {type Optimizer, train} from '@tensorflow/tfjs-core';
import type {OptimizerName} from './record';

interface TunedOptimizer {
  make: (learningRate: number) => Optimizer;
  /** The same for all runs. */
  rates: readonly number[];
}

/**
 * Both optimizers by the mean of the kept losses. By their sum, the steps of SGD are those of a
 * rate k times as large, and those of Adam, which divides by the size of the gradient, stay the
 * same: where each run has a rate of its own, the reduction decides nothing.
 */
export const OPTIMIZERS: Record<OptimizerName, TunedOptimizer> = {
  sgd: {make: (rate) => train.sgd(rate), rates: [0.02, 0.04, 0.08, 0.16, 0.32, 0.64]},
  adam: {make: (rate) => train.adam(rate), rates: [0.0002, 0.0004, 0.0008, 0.0016, 0.0032, 0.0064]},
};
