import type {Optimizer, Variable} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkCount, checkFinitePositive, checkOneOf, rangeError} from '../../checks';
import {GRANULARITIES, type OutputShape} from '../../data/views';
import {takesLastAxis} from '../../losses/formula';
import type {JointLoss} from '../../losses/jointLoss';
import {classAxes} from '../../models/classAxis';
import type {TrainableModel} from '../../models/functionModel';
import {modelOptimizer, type OptimizerName, readyModel, trainedWeights} from '../../models/model';
import {modelFingerprint} from '../../models/modelFingerprint';
import {type Losses, modelLosses, modelLossWeights, targetNames} from '../../models/modelLosses';
import {outputActivation, type PredictionKind, predictionKind, warnOfActivations} from '../../models/outputActivation';
import {checkSelector} from '../../selectors/selector';
import {topK} from '../../selectors/topK';
import type {DynamicsOptions, Granularity, PerSampleLoss, Reduction, Selector, ValidationPass} from '../../types';
import {checkedDynamics, returnsLogits} from './dynamics';
import {type LastLayer, lastLayer, validationPasses} from './lastLayer';
import {REDUCTIONS} from './selection';

/**
 * Ways to compute the gradients. `'pruned'` runs the kept rows backward, as far as the ops allow.
 * `'masked'` runs all rows backward. `'recompute'` runs the kept rows forward a second time, and
 * backward.
 */
export type BackwardStrategy = 'pruned' | 'recompute' | 'masked';

const BACKWARD = ['auto', 'pruned', 'recompute', 'masked'] as const;

export interface OhemStepOptions {
  /**
   * One loss, or one per output (a list, or a record by output name): functions or names of tfjs.
   * Or one over all outputs together, `jointLoss(…)`. Default: the loss the model was compiled
   * with.
   */
  loss?: Losses;
  /** The selector of the rows to backpropagate. Default `topK({ratio: 0.75})`. */
  select?: Selector;
  /**
   * An optimizer, which stays yours to dispose, or a name that `compile` accepts, such as `'adam'`.
   * By name, it becomes the optimizer of the model. Default: the optimizer the model was compiled
   * with.
   */
  optimizer?: Optimizer | OptimizerName;
  /** How the kept losses are reduced to one number. Default `'mean'`. */
  reduction?: Reduction;
  /**
   * Weight of each output's loss. A loss of weight 0 is not computed, and needs no function and no
   * target. Default 1 each.
   */
  lossWeights?: number[] | Record<string, number>;
  /**
   * Whether rows are ranked by their loss with sample and class weights (`'weighted'`, the default)
   * or without (`'raw'`).
   */
  rankBy?: 'weighted' | 'raw';
  /**
   * The unit of mining. `'sample'` (the default) mines the rows of a batch, by the mean of a loss
   * `float32[B, …]` over each. `'element'` mines their elements individually, such as pixels,
   * anchors or time steps.
   *
   * For elements, `select` gets `float32[B·P]` losses in row-major order, `P` for each row, and the
   * loss gets the elements as rows, `yPred` as `float32[B·P, C]`. If the loss of an output `[B, D]`
   * takes binary labels (`binaryCrossentropy`, `binaryFocalCrossentropy`, hinges, or a loss with
   * `binary`), its elements are the `D` labels of each row, and the loss gets `float32[B·D, 1]`.
   */
  granularity?: Granularity;
  /**
   * How the gradients are computed. Default `'auto'`: `'pruned'`, or `'masked'` if all rows are
   * kept. Elements always use `'masked'`, because kept elements may lie in every row.
   */
  backward?: 'auto' | BackwardStrategy;
  /**
   * Number of batches per update. Their gradients are averaged as the reduction defines, as if they
   * were one batch. Default 1.
   */
  accumulate?: number;
  /**
   * Unit of selection if batches are accumulated. `'batch'` (the default) mines each batch
   * individually; `'accumulated'` ranks the rows of all together. The latter scores each batch in
   * inference mode, holds its inputs, and runs those with kept rows forward a second time.
   */
  selectOver?: 'batch' | 'accumulated';
  /** Largest global norm of the gradients; larger gradients are scaled down. Default: no limit. */
  clipNorm?: number;
  /**
   * Whether the report has the `dynamics` of each row, for a ledger that keeps them. Pass
   * `{fromLogits: true}` for a model that returns logits. For a classifier with one output and one
   * label per row. `fitOhem` refuses it, because its ledger decides. Default false.
   */
  dynamics?: boolean | DynamicsOptions;
}

const NAMES: Record<keyof OhemStepOptions, true> = {
  ...{loss: true, select: true, optimizer: true, reduction: true, lossWeights: true, rankBy: true},
  ...{granularity: true, backward: true, clipNorm: true},
  ...{accumulate: true, selectOver: true, dynamics: true},
};

/** Names of all options of a step. */
export const STEP_OPTIONS = Object.keys(NAMES);

/** The checked options of a step. */
export interface StepSettings {
  /** The function name that errors show. */
  where: string;
  model: LayersModel;
  /** One loss per output, like the weights. */
  losses: PerSampleLoss[] | [JointLoss];
  lossWeights: number[];
  /** What is known of the outputs and their losses before the model runs. */
  outputs: OutputShape[];
  /** Names of the targets; undefined if a joint loss takes any. */
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
  /** Options of the row dynamics in the report; undefined for none. */
  dynamics: Required<DynamicsOptions> | undefined;
  /** What is known of the predictions, for selectors; undefined unless there is one output. */
  predicts: PredictionKind | undefined;
  /** Computes `context.model`; undefined if the selector does not need it. */
  fingerprint?: (() => number) | undefined;
  /** Captures the input of the last dense layer; undefined if the selector does not need it. */
  lastLayer: LastLayer | undefined;
  /** Runs the validation rows of the selector forward; undefined if it has none. */
  validation: (() => ValidationPass) | undefined;
  /** Whether the gradient includes the penalties of regularisers. Default true. */
  penalised?: boolean;
  /**
   * Whether the gradients may be part of a sum over several shards. Default false: they update the
   * weights.
   */
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
  warnOfActivations(where, model, losses);
  if (!targets && granularity === 'element') {
    const remedy = 'A joint loss returns one number per row.';
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
    predicts: targets?.length === 1 ? predictionKind(losses[0], outputActivation(model, 0)) : undefined,
    fingerprint: select.needs?.includes('model') ? () => modelFingerprint(model) : undefined,
    ...{lastLayer: needed, validation: undefined},
  };
  return select.validation ? {...settings, validation: validationPasses(settings)} : settings;
}

/** Describes the outputs of a model, with what is known of their losses. */
function outputsWith(model: LayersModel, losses: readonly object[]): OutputShape[] {
  const namesAndShapes = model.outputs.map(({shape}, output) => ({name: String(model.outputNames[output]), shape}));
  // Only an output with further axes beside the batch can have its classes on another axis than the
  // last.
  const axes = model.outputs.some(({shape}) => (shape?.length ?? 0) > 2) ? classAxes(model) : [];
  return namesAndShapes.map((output, i) => {
    const loss = losses[i];
    const [isBinary, isEmbedding] = ['binary' in (loss ?? {}), 'skipsNaN' in (loss ?? {})];
    return {...output, isBinary, isEmbedding, classAxis: axes[i], takesLastAxis: takesLastAxis(loss)};
  });
}
