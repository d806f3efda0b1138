import type {Tensor1D, Tensor2D} from '@tensorflow/tfjs-core';
import type {Selector} from 'ohem-tfjs';

/** Images and one-hot labels of a whole set. */
export interface TensorSet {
  xs: Tensor2D;
  ys: Tensor2D;
}

/** SGD with momentum and weight decay as PyTorch has them, on the rows that a selector keeps. */
export interface SgdOptions {
  seed: number;
  learningRate: number;
  momentum: number;
  weightDecay: number;
  select: Selector;
}

/** A classifier that is trained step by step, and asked how good it is. */
export interface Trainee {
  /** One step on some rows of a set; `state` is that of the selector's schedule. */
  step(set: TensorSet, rows: Tensor1D, state?: unknown): void;
  /** Share of a set that is classified rightly, with dropout if it runs as in training. */
  accuracy(set: TensorSet, as: 'in training' | 'in use'): Promise<number>;
  setLearningRate(learningRate: number): void;
  dispose(): void;
}
