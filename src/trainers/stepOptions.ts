import type {Optimizer} from '@tensorflow/tfjs-core';
import type {BackwardStrategy} from '../gradients/backwardPass';
import type {LossLike} from '../models/modelLosses';
import type {Granularity, Reduction, Selector} from '../types';
import type {ClassWeights} from './classWeights';
import type {GivenContext} from './elementContext';
import type {SampleWeights} from './stepInputs';

/** The names of all options of a step. */
export const STEP_OPTIONS = [
  'loss',
  'select',
  'optimizer',
  'reduction',
  'lossWeights',
  'rankBy',
  'granularity',
  'backward',
  'clipNorm',
];

/** The names of what may go with a batch. */
export const BATCH_OPTIONS = [
  'sampleWeight',
  'classWeight',
  'step',
  'valid',
  'positive',
  'group',
  'boxes',
  'reference',
  'yTrue',
  'yPred',
  'memory',
  'schedule',
];

export interface OhemStepOptions {
  /** One loss, or one for each output (list, or record by output name); functions or names of Keras. Default: what the model was compiled with. */
  loss?: LossLike | LossLike[] | Record<string, LossLike>;
  /** Which rows are backpropagated. Default `topK({ratio: 0.75})`. */
  select?: Selector;
  /** Default: what the model was compiled with. It stays yours to dispose. */
  optimizer?: Optimizer;
  /** How the kept losses become one number. Default `'mean'`. */
  reduction?: Reduction;
  /** What each output's loss counts. Default 1 each. */
  lossWeights?: number[] | Record<string, number>;
  /** Rank rows by their loss with sample and class weights (`'weighted'`, the default), or without (`'raw'`). */
  rankBy?: 'weighted' | 'raw';
  /**
   * What is mined: the rows of a batch (`'sample'`, the default), by the mean of a loss `float32[B, …]` over each; or its `'element'`s one by one, such as
   * pixels, anchors or time steps. Then `select` sees `float32[B·P]` losses in row-major order, `P` for each row, and the loss is given the elements as
   * rows, `yPred` as `float32[B·P, C]`.
   */
  granularity?: Granularity;
  /** How the gradients are computed. Default `'auto'`, the cheaper way. Elements are mined by `'masked'`, since they may lie in every row. */
  backward?: 'auto' | BackwardStrategy;
  /** Largest global norm of the gradients; larger ones are scaled down. Default: no limit. */
  clipNorm?: number;
}

/**
 * What belongs to one batch beside `xs` and `ys`: weights, and whatever of the context the selector looks at. Where elements are mined, what has a value
 * for each row (`valid`, `positive`, `group`, `reference`, `boxes`) has one for each element, as `[B·P]` or `[B, …]`.
 */
export interface StepOptions extends GivenContext {
  /** What each row counts, `float32[B]`, or each element, `float32[B, …]`; applied before selection. */
  sampleWeight?: SampleWeights;
  /** What the rows or elements of each class count, `{0: 1, 1: 5}`; applied before selection. */
  classWeight?: ClassWeights;
}
