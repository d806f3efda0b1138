import type {Optimizer} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkFinitePositive, checkOneOf, rangeError} from '../../checks';
import {GRANULARITIES} from '../../data/views';
import {modelOptimizer, readyModel, trainableVariables} from '../../models/model';
import {type LossLike, modelLosses, modelLossWeights} from '../../models/modelLosses';
import {checkSelector} from '../../selectors/selector';
import {topK} from '../../selectors/topK';
import type {Granularity, PerSampleLoss, Reduction, Selector} from '../../types';
import {REDUCTIONS} from './selection';

/**
 * The ways to the gradients: `'pruned'` runs the kept rows backward, as far as the ops allow; `'masked'` runs all rows backward; `'recompute'`
 * runs the kept rows forward a second time, and backward.
 */
export type BackwardStrategy = 'pruned' | 'recompute' | 'masked';

const BACKWARD = ['auto', 'pruned', 'recompute', 'masked'] as const;

/** The names of all options of a step. */
export const STEP_OPTIONS = [
  ...['loss', 'select', 'optimizer', 'reduction', 'lossWeights', 'rankBy', 'granularity', 'backward', 'clipNorm'],
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
  /** What each output's loss counts; one that counts 0 is not computed. Default 1 each. */
  lossWeights?: number[] | Record<string, number>;
  /** Rank rows by their loss with sample and class weights (`'weighted'`, the default), or without (`'raw'`). */
  rankBy?: 'weighted' | 'raw';
  /**
   * What is mined: the rows of a batch (`'sample'`, the default), by the mean of a loss `float32[B, …]` over each; or its `'element'`s one by one, such as
   * pixels, anchors or time steps. Then `select` sees `float32[B·P]` losses in row-major order, `P` for each row, and the loss is given the elements as
   * rows, `yPred` as `float32[B·P, C]`.
   */
  granularity?: Granularity;
  /**
   * How the gradients are computed. Default `'auto'`: `'pruned'`, or `'masked'` if all rows are kept. Elements are mined by `'masked'`, since they may
   * lie in every row.
   */
  backward?: 'auto' | BackwardStrategy;
  /** Largest global norm of the gradients; larger ones are scaled down. Default: no limit. */
  clipNorm?: number;
}

/** The options of a step, checked. */
export interface StepSettings {
  /** The function that errors are to name. */
  where: string;
  model: LayersModel;
  /** One for each output, as are the weights. */
  losses: PerSampleLoss[];
  lossWeights: number[];
  select: Selector;
  optimizer: Optimizer;
  reduction: Reduction;
  rankBy: 'weighted' | 'raw';
  granularity: Granularity;
  backward: 'auto' | BackwardStrategy;
  clipNorm: number | undefined;
}

/** Checks the options of a step. */
export function stepSettings(where: string, model: LayersModel, options: OhemStepOptions): StepSettings {
  const {loss, select = topK({ratio: 0.75}), reduction = 'mean', lossWeights, clipNorm} = options;
  const {rankBy = 'weighted', granularity = 'sample', backward = 'auto'} = options;
  readyModel(where, model);
  checkSelector(where, select, 'select');
  checkOneOf(where, 'reduction', reduction, REDUCTIONS);
  checkOneOf(where, 'rankBy', rankBy, ['weighted', 'raw']);
  checkOneOf(where, 'granularity', granularity, GRANULARITIES);
  checkOneOf(where, 'backward', backward, BACKWARD);
  if (granularity === 'element' && (backward === 'pruned' || backward === 'recompute')) {
    const remedy = 'Elements of every row may be kept, so all rows run backward.';
    throw rangeError(where, 'backward', 'be one of auto, masked for elements', backward, remedy);
  }
  if (clipNorm !== undefined) checkFinitePositive(where, 'clipNorm', clipNorm);
  const weights = modelLossWeights(where, model, lossWeights);
  const losses = modelLosses(where, model, loss);
  const optimizer = modelOptimizer(where, model, options.optimizer, 'Pass {optimizer: tf.train.sgd(0.1)}.');
  trainableVariables(where, model);
  return {
    ...{where, model, losses, lossWeights: weights, select, optimizer, reduction, rankBy, granularity, backward},
    clipNorm,
  };
}
