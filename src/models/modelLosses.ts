/** @file The losses of a model: found for each output, and reduced to one number per row. */

import {
  Reduction as CoreReduction,
  cast,
  where as chooseEach,
  losses as coreLosses,
  div,
  fill,
  greater,
  logicalAnd,
  maximum,
  mean,
  mul,
  notEqual,
  onesLike,
  reshape,
  sum,
  Tensor,
  type Tensor1D,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkWeights, didYouMean, shapeText, typeError} from '../checks';
import {binaryCrossentropy} from '../losses/binaryCrossentropy';
import {categoricalCrossentropy} from '../losses/categoricalCrossentropy';
import {categoricalHinge} from '../losses/categoricalHinge';
import {cosineSimilarity} from '../losses/cosineSimilarity';
import {checkPlain, checkTruth, rowwise, validEntries} from '../losses/formula';
import {fromLayersLoss} from '../losses/fromLayersLoss';
import {hinge, squaredHinge} from '../losses/hinge';
import {huber} from '../losses/huber';
import type {JointLoss} from '../losses/jointLoss';
import {kullbackLeiblerDivergence} from '../losses/kullbackLeiblerDivergence';
import {logCosh} from '../losses/logCosh';
import {meanAbsoluteError} from '../losses/meanAbsoluteError';
import {poisson} from '../losses/poisson';
import {sparseCategoricalCrossentropy} from '../losses/sparseCategoricalCrossentropy';
import {meanSquaredError} from '../losses/squaredError';
import {nanUnless} from '../rows';
import type {LossName, PerSampleLoss} from '../types';
import {byOutput, type PerOutput} from './modelTensors';

/** A loss for a trainer: a function, or a name that `model.compile` accepts. */
export type LossLike = PerSampleLoss | LossName;

/** Our losses under the names of tfjs-layers; all others come from tfjs-layers. */
const OWN_LOSSES: Record<Exclude<LossName, LayersLossName>, () => PerSampleLoss> = {
  binaryCrossentropy,
  categoricalCrossentropy,
  categoricalHinge,
  cosineProximity: cosineSimilarity,
  hinge,
  kullbackLeiblerDivergence,
  logcosh: logCosh,
  meanAbsoluteError,
  meanSquaredError,
  poisson,
  sparseCategoricalCrossentropy,
  squaredHinge,
};

/**
 * The losses of a model: one for each output (one for all of them, a list, or a record by name), or
 * one over all outputs together.
 */
export type Losses = LossLike | JointLoss | LossLike[] | Record<string, LossLike>;

const {NONE} = CoreReduction;

/**
 * Per-sample versions of the losses in `tf.losses`, which `compile` accepts. Their mean over all
 * rows is the same, except that of `cosineDistance`: `compile` passes it no axis, so tfjs computes
 * one distance of the whole batch, 1 − Σ yTrue · yPred. Here each row has a distance.
 */
const CORE_LOSSES = new Map<unknown, () => PerSampleLoss>([
  [coreLosses.absoluteDifference, meanAbsoluteError],
  [
    coreLosses.computeWeightedLoss,
    () => unreduced((values, weights) => coreLosses.computeWeightedLoss(values, weights, NONE)),
  ],
  [coreLosses.cosineDistance, () => unreduced((y, p) => coreLosses.cosineDistance(y, p, -1, undefined, NONE))],
  [coreLosses.hingeLoss, () => unreduced((y, p) => coreLosses.hingeLoss(y, p, undefined, NONE))],
  [coreLosses.huberLoss, () => huber({delta: 1})],
  [coreLosses.logLoss, () => unreduced((y, p) => coreLosses.logLoss(y, p, undefined, undefined, NONE))],
  [coreLosses.meanSquaredError, meanSquaredError],
  [coreLosses.sigmoidCrossEntropy, () => binaryCrossentropy({fromLogits: true})],
  [coreLosses.softmaxCrossEntropy, () => categoricalCrossentropy({fromLogits: true})],
]);

function unreduced(loss: (yTrue: Tensor, yPred: Tensor) => Tensor): PerSampleLoss {
  return rowwise((yTrue, yPred) => loss(yTrue, yPred));
}

/** Names of Keras that tfjs does not take. */
const SHORT_NAMES: Record<string, string> = {
  mse: 'meanSquaredError',
  mae: 'meanAbsoluteError',
  bce: 'binaryCrossentropy',
  cce: 'categoricalCrossentropy',
};

/** Names of losses that exist only in tfjs-layers. */
const LAYERS_LOSSES = ['meanAbsolutePercentageError', 'meanSquaredLogarithmicError'] as const;
type LayersLossName = (typeof LAYERS_LOSSES)[number];

/**
 * Finds the loss of each output, or the joint loss: the given ones, or those that the model was
 * compiled with.
 */
export function modelLosses(
  where: string,
  model: LayersModel,
  given: Losses | undefined,
  lossWeights: readonly number[] = [],
): PerSampleLoss[] | [JointLoss] {
  const losses = given ?? (model.loss as Losses | undefined);
  if (losses === undefined) {
    const remedy = 'Pass {loss: categoricalCrossentropy()}.';
    throw typeError(where, 'loss', 'be given, or the model be compiled with one', losses, remedy);
  }
  if (isJoint(losses)) return [losses];
  return byOutput<LossLike>(where, 'loss', model.outputNames, losses).map((loss, output) => {
    if (loss !== undefined) return perSampleLoss(where, loss);
    if (lossWeights[output] === 0) return noLoss;
    const constraint = `be given for every output (${model.outputNames.join(', ')})`;
    throw typeError(where, 'loss', constraint, `none for ${model.outputNames[output]}`);
  });
}

/**
 * Placeholder for an output of weight 0 without a loss: no step computes it, and it is not logged.
 */
const noLoss: PerSampleLoss = (_, yPred) => fill([yPred.shape[0] as number], Number.NaN);

/**
 * Returns the target names of a model, those of its outputs; undefined if a joint loss takes any
 * targets.
 */
export function targetNames(model: LayersModel, loss: unknown = model.loss): readonly string[] | undefined {
  return isJoint(loss) ? undefined : model.outputNames;
}

/** Returns the weight of each named loss, 1 by default. */
export function modelLossWeights(
  where: string,
  names: readonly string[],
  given: number[] | Record<string, number> | undefined,
): number[] {
  const weights = byOutput(where, 'lossWeights', names, (given ?? 1) as PerOutput<number>).map((weight) => weight ?? 1);
  checkWeights(where, 'lossWeights', weights);
  return weights;
}

/**
 * Converts a loss of `tf.losses`, which reduces the batch to a scalar, to its per-sample version;
 * any other stays.
 */
export function byRow(loss: PerSampleLoss): PerSampleLoss {
  return CORE_LOSSES.get(loss)?.() ?? loss;
}

/** Whether a loss combines all outputs. */
export function isJoint(loss: unknown): loss is JointLoss {
  return (Object(loss) as Partial<JointLoss>).isJoint === true;
}

function perSampleLoss(where: string, loss: LossLike): PerSampleLoss {
  if (typeof loss === 'function') {
    checkPlain(where, loss);
    return byRow(loss);
  }
  if (typeof loss !== 'string') throw typeError(where, 'loss', 'be a function or the name of a loss', loss);
  const own = (OWN_LOSSES as Record<string, (() => PerSampleLoss) | undefined>)[loss]?.();
  if (own) return own;
  if (LAYERS_LOSSES.some((name) => name === loss)) return fromLayersLoss(loss);
  const names = [...Object.keys(OWN_LOSSES), ...LAYERS_LOSSES];
  const remedy = didYouMean(SHORT_NAMES[loss.toLowerCase()] ?? loss, names) || `Names are ${names.join(', ')}.`;
  throw typeError(where, 'loss', 'be the name of a loss of tfjs', `'${loss}'`, remedy);
}

/**
 * Evaluates a loss to one number per row, `float32[B]`. A loss `float32[B, …]` is averaged over the
 * further axes, without entries that do not count (ignored labels).
 */
export function rowLosses(where: string, loss: PerSampleLoss, yTrue: Tensor, yPred: Tensor): Tensor1D {
  const batchSize = yPred.shape[0] as number;
  const losses = evaluated(where, loss, yTrue, yPred);
  if (losses.rank === 0 || losses.shape[0] !== batchSize || losses.dtype !== 'float32') {
    const constraint = `return one value for each row, float32 of shape [${batchSize}] or [${batchSize}, …]`;
    throw typeError(where, 'loss', constraint, kindOf(losses), 'Remove the mean or the sum over the batch.');
  }
  if (losses.rank === 1) return losses as Tensor1D;
  const entries = perRow(losses);
  const counted = validEntries(loss, yTrue, yPred);
  if (!counted) return mean(entries, 1);
  const valid = perRow(cast(counted, 'float32'));
  return div(sum(mul(entries, valid), 1), maximum(sum(valid, 1), 1));
}

/**
 * Evaluates a loss to one number per element, `float32[B·P]`, with the elements as rows: `yPred` is
 * `[B·P, C]`. Elements that do not count (ignored labels) have loss 0.
 */
export function elementLosses(where: string, loss: PerSampleLoss, yTrue: Tensor, yPred: Tensor): Tensor1D {
  const count = yPred.shape[0] as number;
  const given = evaluated(where, loss, yTrue, yPred);
  // A loss of single values keeps the axis of size 1 that binary elements have.
  const losses = loss.binary && String(given.shape) === String([count, 1]) ? reshape(given, [count]) : given;
  if (losses.rank !== 1 || losses.size !== count || losses.dtype !== 'float32') {
    const shapes = `float32 of shape [${count}] for yPred of shape ${shapeText(yPred.shape)}`;
    const isOfEach = String(losses.shape) === String(yPred.shape);
    const promise = isOfEach
      ? ' For binary labels, declare it: Object.assign(loss, {binary: {fromLogits: true}}).'
      : '';
    const remedy = `It gets elements as rows: reduce over the last axis, and over no other.${promise}`;
    throw typeError(where, 'loss', `return one value for each element, ${shapes}`, kindOf(losses), remedy);
  }
  const valid = validRows(loss, yTrue);
  return (valid ? chooseEach(notEqual(valid, 0), losses, zerosLike(losses)) : losses) as Tensor1D;
}

/**
 * Lists the outputs whose losses count. A loss of weight 0 is not computed, unless all weights are
 * 0.
 */
export function countedOutputs(lossWeights: readonly number[]): number[] {
  const counted = [...lossWeights.keys()].filter((output) => (lossWeights[output] as number) > 0);
  return counted.length > 0 ? counted : [...lossWeights.keys()];
}

/**
 * Checks the targets of some outputs, for losses that validate their labels; `marksOf` returns
 * masks with 0 for rows that do not count.
 */
export function checkTruths(
  losses: readonly (PerSampleLoss | JointLoss)[],
  outputs: readonly number[],
  ys: Tensor[],
  marksOf: (output: number) => readonly Tensor1D[],
): void {
  for (const output of outputs) {
    const loss = losses[output];
    if (typeof loss === 'function') checkTruth(loss, ys[output] as Tensor, marksOf(output));
  }
}

/**
 * Evaluates the weighted loss of each output that counts; `lossesOf` reduces a loss to one number
 * per row.
 *
 * @param finite  `bool[count]`, rows that were not replaced. A loss that skips NaN gets NaN for the
 *   others.
 * @param valid  `[count]`, 0 for rows that such a loss gets as NaN too; their losses are 0.
 */
export function outputLosses(
  where: string,
  losses: readonly (PerSampleLoss | JointLoss)[],
  lossWeights: readonly number[],
  ys: Tensor[],
  predictions: Tensor[],
  lossesOf: typeof rowLosses = rowLosses,
  finite?: Tensor1D,
  valid?: Tensor1D,
): Tensor1D[] {
  const seenRows = comparableRows(finite, valid);
  // Outputs may have several rows per batch row, whose assignment is unknown.
  const seen = (prediction: Tensor) =>
    seenRows && prediction.shape[0] === seenRows.size ? nanUnless(seenRows, prediction) : prediction;
  return countedOutputs(lossWeights).map((output) => {
    const loss = losses[output] as PerSampleLoss | JointLoss;
    const given = loss.skipsNaN ? predictions.map(seen) : predictions;
    const [yTrue, yPred] = [ys[output] as Tensor, given[output] as Tensor];
    // A joint loss has one value for each row of the targets.
    const ofAll = isJoint(loss)
      ? lossesOf(where, () => loss.compute(ys, given), yTrue, yTrue)
      : lossesOf(where, loss, yTrue, yPred);
    const isPadded = loss.skipsNaN && valid && valid.size === ofAll.size;
    const ofRows = isPadded ? (chooseEach(notEqual(valid, 0), ofAll, zerosLike(ofAll)) as Tensor1D) : ofAll;
    return lossWeights[output] === 1 ? ofRows : mul<Tensor1D>(ofRows, lossWeights[output] as number);
  });
}

/**
 * Returns the mask of rows that a loss may compare with others, `bool[count]`; undefined for all.
 */
export function comparableRows(finite: Tensor1D | undefined, valid: Tensor1D | undefined): Tensor1D | undefined {
  if (!valid) return finite;
  const isValid = notEqual(valid, 0) as Tensor1D;
  return finite ? logicalAnd(finite, isValid) : isValid;
}

/**
 * Returns the mask of rows with at least one entry that counts, `float32[B]`; undefined if the loss
 * counts everything.
 *
 * @param finite  `bool[B]`, rows that others may be compared with. The other rows are not finite,
 *   but count.
 */
export function validRows(loss: PerSampleLoss | JointLoss, yTrue: Tensor, finite?: Tensor1D): Tensor1D | undefined {
  if (isJoint(loss) || !loss.valid) return undefined;
  if (finite && loss.skipsNaN) {
    const valid = validRows(loss, nanUnless(finite, cast(yTrue, 'float32'))) as Tensor1D;
    return chooseEach(finite, valid, onesLike(valid));
  }
  return cast(greater(sum(perRow(cast(notEqual(loss.valid(yTrue), 0), 'float32')), 1), 0), 'float32') as Tensor1D;
}

function evaluated(where: string, loss: PerSampleLoss, yTrue: Tensor, yPred: Tensor): Tensor {
  const losses: unknown = loss(yTrue, yPred);
  if (losses instanceof Tensor) return losses;
  const remedy = 'Build it first, if it takes options: categoricalCrossentropy().';
  throw typeError(where, 'loss', 'return a tensor', losses, remedy);
}

/** Formats the shape of a loss for an error, and its dtype if that is wrong. */
function kindOf(losses: Tensor): unknown {
  return losses.dtype === 'float32' ? losses.shape : `${losses.dtype} of shape ${shapeText(losses.shape)}`;
}

function perRow(values: Tensor): Tensor {
  const batchSize = values.shape[0] as number;
  return reshape(values, [batchSize, values.size / batchSize]);
}
