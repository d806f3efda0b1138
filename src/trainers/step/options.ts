import type {Optimizer, Variable} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkCount, checkFinitePositive, checkOneOf, rangeError} from '../../checks';
import {GRANULARITIES, type OutputShape} from '../../data/views';
import {takesLastAxis} from '../../losses/formula';
import type {JointLoss} from '../../losses/jointLoss';
import {classAxes} from '../../models/classAxis';
import type {TrainableModel} from '../../models/functionModel';
import {modelOptimizer, type OptimizerName, readyModel, trainedWeights} from '../../models/model';
import {type Losses, modelLosses, modelLossWeights, targetNames} from '../../models/modelLosses';
import {checkSelector} from '../../selectors/selector';
import {topK} from '../../selectors/topK';
import type {DynamicsOptions, Granularity, PerSampleLoss, Reduction, Selector, ValidationPass} from '../../types';
import {checkedDynamics, returnsLogits} from './dynamics';
import {type LastLayer, lastLayer, validationPasses} from './lastLayer';
import {REDUCTIONS} from './selection';

/**
 * The ways to the gradients: `'pruned'` runs the kept rows backward, as far as the ops allow; `'masked'` runs all rows backward; `'recompute'`
 * runs the kept rows forward a second time, and backward.
 */
export type BackwardStrategy = 'pruned' | 'recompute' | 'masked';

const BACKWARD = ['auto', 'pruned', 'recompute', 'masked'] as const;

export interface OhemStepOptions {
  /**
   * One loss, or one for each output (list, or record by output name); functions or names of Keras. Or one over all outputs
   * together, `jointLoss(…)`. Default: what the model was compiled with.
   */
  loss?: Losses;
  /** Which rows are backpropagated. Default `topK({ratio: 0.75})`. */
  select?: Selector;
  /**
   * An optimizer, which stays yours to dispose, or the name of one that `compile` takes, `'adam'`: it becomes that of the
   * model. Default: what the model was compiled with.
   */
  optimizer?: Optimizer | OptimizerName;
  /** How the kept losses become one number. Default `'mean'`. */
  reduction?: Reduction;
  /** What each output's loss counts; one that counts 0 is not computed, and needs no loss and no target. Default 1 each. */
  lossWeights?: number[] | Record<string, number>;
  /** Rank rows by their loss with sample and class weights (`'weighted'`, the default), or without (`'raw'`). */
  rankBy?: 'weighted' | 'raw';
  /**
   * What is mined: the rows of a batch (`'sample'`, the default), by the mean of a loss `float32[B, …]` over each; or its `'element'`s one by one, such as
   * pixels, anchors or time steps. Then `select` sees `float32[B·P]` losses in row-major order, `P` for each row, and the loss is given the elements as
   * rows, `yPred` as `float32[B·P, C]`. An output `[B, D]` whose loss is of yes-or-no labels (`binaryCrossentropy`, `binaryFocalCrossentropy`, hinges, or
   * one with `binary`) has `D` elements for each row, its labels, and the loss is given `float32[B·D, 1]`.
   */
  granularity?: Granularity;
  /**
   * How the gradients are computed. Default `'auto'`: `'pruned'`, or `'masked'` if all rows are kept. Elements are mined by `'masked'`, since they may
   * lie in every row.
   */
  backward?: 'auto' | BackwardStrategy;
  /**
   * How many batches make one update: their gradients are averaged as the reduction says, as if they were one batch.
   * Default 1.
   */
  accumulate?: number;
  /**
   * Whether each of the accumulated batches is mined by itself (`'batch'`, the default), or the rows of all of them are
   * ranked together (`'accumulated'`). That scores each batch in inference mode, holds its inputs, and runs those with
   * kept rows forward a second time.
   */
  selectOver?: 'batch' | 'accumulated';
  /** Largest global norm of the gradients; larger ones are scaled down. Default: no limit. */
  clipNorm?: number;
  /**
   * Whether the report has the `dynamics` of each row, for a ledger that keeps them; `{fromLogits: true}` for a model that
   * returns logits. For a classifier with one output and one label a row. `fitOhem` refuses it: there the ledger says it.
   * Default false.
   */
  dynamics?: boolean | DynamicsOptions;
}

const NAMES: Record<keyof OhemStepOptions, true> = {
  ...{loss: true, select: true, optimizer: true, reduction: true, lossWeights: true, rankBy: true},
  ...{granularity: true, backward: true, clipNorm: true},
  ...{accumulate: true, selectOver: true, dynamics: true},
};

/** The names of all options of a step. */
export const STEP_OPTIONS = Object.keys(NAMES);

/** The options of a step, checked. */
export interface StepSettings {
  /** The function that errors are to name. */
  where: string;
  model: LayersModel;
  /** One for each output, as are the weights. */
  losses: PerSampleLoss[] | [JointLoss];
  lossWeights: number[];
  /** What is known of the outputs and their losses before the model runs. */
  outputs: OutputShape[];
  /** The names of the targets; undefined if a joint loss takes any. */
  targets: readonly string[] | undefined;
  select: Selector;
  optimizer: Optimizer;
  /** Lists the weights to train now. */
  trained: () => Variable[];
  reduction: Reduction;
  rankBy: 'weighted' | 'raw';
  granularity: Granularity;
  backward: 'auto' | BackwardStrategy;
  clipNorm: number | undefined;
  accumulate: number;
  selectOver: 'batch' | 'accumulated';
  /** What the report says of each row's prediction; undefined if nothing. */
  dynamics: Required<DynamicsOptions> | undefined;
  /** Catches the input of the last dense layer; undefined if the selector does not need it. */
  lastLayer: LastLayer | undefined;
  /** Runs the validation rows of the selector forward; undefined if it has none. */
  validation: (() => ValidationPass) | undefined;
  /** Whether the penalties of regularisers are a part of the gradient. Default true. */
  penalised?: boolean;
  /** Whether the gradients may be a part of a sum over several shards. Default false: they update the weights. */
  partial?: boolean;
}

/** Checks the options of a step. */
export function stepSettings(where: string, given: TrainableModel, options: OhemStepOptions): StepSettings {
  const {loss, select = topK({ratio: 0.75}), reduction = 'mean', lossWeights, clipNorm} = options;
  const {rankBy = 'weighted', granularity = 'sample', backward = 'auto'} = options;
  const model = readyModel(where, given, loss);
  checkSelector(where, select, 'select');
  checkOneOf(where, 'reduction', reduction, REDUCTIONS);
  checkOneOf(where, 'rankBy', rankBy, ['weighted', 'raw']);
  checkOneOf(where, 'granularity', granularity, GRANULARITIES);
  checkOneOf(where, 'backward', backward, BACKWARD);
  if (granularity === 'element' && (backward === 'pruned' || backward === 'recompute')) {
    const remedy = 'Elements of every row may be kept, so all rows run backward.';
    throw rangeError(where, 'backward', 'be one of auto, masked for elements', backward, remedy);
  }
  const {accumulate = 1, selectOver = 'batch'} = options;
  checkCount(where, 'accumulate', accumulate);
  checkOneOf(where, 'selectOver', selectOver, ['batch', 'accumulated']);
  if (selectOver === 'accumulated' && accumulate === 1) {
    throw rangeError(where, 'accumulate', "be at least 2 with selectOver: 'accumulated'", accumulate);
  }
  if (clipNorm !== undefined) checkFinitePositive(where, 'clipNorm', clipNorm);
  const targets = targetNames(model, loss ?? model.loss);
  const weights = modelLossWeights(where, targets ?? ['loss'], lossWeights);
  const losses = modelLosses(where, model, loss, weights);
  if (!targets && granularity === 'element') {
    const remedy = 'A joint loss gives one number for each row.';
    throw rangeError(where, 'granularity', "be 'sample' with a joint loss", granularity, remedy);
  }
  const outputs = outputsWith(model, losses);
  const dynamics = options.dynamics
    ? checkedDynamics(where, options.dynamics, {
        ...{outputs, targets, granularity},
        isLogits: returnsLogits(model, losses[0] as PerSampleLoss),
      })
    : undefined;
  const needed = select.needs?.includes('features') ? lastLayer(where, model, {granularity, outputs}) : undefined;
  const optimizer = modelOptimizer(where, model, options.optimizer, 'Pass {optimizer: tf.train.sgd(0.1)}.');
  const trained = trainedWeights(where, model, optimizer);
  trained();
  const settings: StepSettings = {
    ...{where, model, losses, lossWeights: weights, select, optimizer, reduction, rankBy, granularity, backward},
    ...{targets, trained, clipNorm, accumulate, selectOver, outputs, dynamics},
    ...{lastLayer: needed, validation: undefined},
  };
  return select.validation ? {...settings, validation: validationPasses(settings)} : settings;
}

/** The outputs of a model, with what is known of their losses. */
function outputsWith(model: LayersModel, losses: readonly object[]): OutputShape[] {
  const namesAndShapes = model.outputs.map(({shape}, output) => ({name: String(model.outputNames[output]), shape}));
  // Classes lie elsewhere than on the last axis only where there are others beside that of the batch.
  const axes = model.outputs.some(({shape}) => (shape?.length ?? 0) > 2) ? classAxes(model) : [];
  return namesAndShapes.map((output, i) => {
    const loss = losses[i];
    const [isBinary, isEmbedding] = ['binary' in (loss ?? {}), 'skipsNaN' in (loss ?? {})];
    return {...output, isBinary, isEmbedding, classAxis: axes[i], takesLastAxis: takesLastAxis(loss)};
  });
}
