/** @file The losses of a model: found for each output, and evaluated to one number a row. */

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
import {checkTruth, rowwise, validEntries} from '../losses/formula';
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

/** A loss for a trainer: a function, or the name that `model.compile` takes for it. */
export type LossLike = PerSampleLoss | LossName;

/** The losses under the names that tfjs-layers has for them; what is not here comes from there. */
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

/** The losses of a model: one for each output (for all of them, in a list, or in a record by name), or one over all. */
export type Losses = LossLike | JointLoss | LossLike[] | Record<string, LossLike>;

const {NONE} = CoreReduction;

/** Builds what each loss of `tf.losses` is for a row; `compile` takes them, and the mean over all rows is the same. */
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

/** Names of losses that only tfjs-layers has. */
const LAYERS_LOSSES = ['meanAbsolutePercentageError', 'meanSquaredLogarithmicError'] as const;
type LayersLossName = (typeof LAYERS_LOSSES)[number];

/** Finds the loss of each output, or the one over all of them: the given ones, or those that the model was compiled with. */
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

/** For an output of weight 0 that has no loss: no step computes it, and it has no figure. */
const noLoss: PerSampleLoss = (_, yPred) => fill([yPred.shape[0] as number], Number.NaN);

/** The names of the targets of a model: those of its outputs; undefined if a joint loss takes any targets. */
export function targetNames(model: LayersModel, loss: unknown = model.loss): readonly string[] | undefined {
  return isJoint(loss) ? undefined : model.outputNames;
}

/** Finds what the loss of each name counts, 1 where nothing is said. */
export function modelLossWeights(
  where: string,
  names: readonly string[],
  given: number[] | Record<string, number> | undefined,
): number[] {
  const weights = byOutput(where, 'lossWeights', names, (given ?? 1) as PerOutput<number>).map((weight) => weight ?? 1);
  checkWeights(where, 'lossWeights', weights);
  return weights;
}

/** Takes a loss of `tf.losses`, which reduces the batch to a scalar, for what it is by row; any other stays as it is. */
export function byRow(loss: PerSampleLoss): PerSampleLoss {
  return CORE_LOSSES.get(loss)?.() ?? loss;
}

/** Says whether a loss judges all outputs together. */
export function isJoint(loss: unknown): loss is JointLoss {
  return (Object(loss) as Partial<JointLoss>).isJoint === true;
}

function perSampleLoss(where: string, loss: LossLike): PerSampleLoss {
  if (typeof loss === 'function') return byRow(loss);
  if (typeof loss !== 'string') throw typeError(where, 'loss', 'be a function or the name of a loss', loss);
  const own = (OWN_LOSSES as Record<string, (() => PerSampleLoss) | undefined>)[loss]?.();
  if (own) return own;
  if (LAYERS_LOSSES.some((name) => name === loss)) return fromLayersLoss(loss);
  const names = [...Object.keys(OWN_LOSSES), ...LAYERS_LOSSES];
  const remedy = didYouMean(loss, names) || `Names are ${names.join(', ')}.`;
  throw typeError(where, 'loss', 'be the name of a loss of Keras', `'${loss}'`, remedy);
}

/**
 * Evaluates a loss to one number a row, `float32[B]`: the mean over the further axes of a loss `float32[B, …]`, without
 * the entries that do not count (ignored labels).
 */
export function rowLosses(where: string, loss: PerSampleLoss, yTrue: Tensor, yPred: Tensor): Tensor1D {
  const batchSize = yPred.shape[0] as number;
  const losses = evaluated(where, loss, yTrue, yPred);
  if (losses.rank === 0 || losses.shape[0] !== batchSize || losses.dtype !== 'float32') {
    const constraint = `return one value for each row, float32 of shape [${batchSize}] or [${batchSize}, …]`;
    throw typeError(where, 'loss', constraint, kindOf(losses), 'Leave out the mean or the sum over the batch.');
  }
  if (losses.rank === 1) return losses as Tensor1D;
  const entries = perRow(losses);
  const counted = validEntries(loss, yTrue, yPred);
  if (!counted) return mean(entries, 1);
  const valid = perRow(cast(counted, 'float32'));
  return div(sum(mul(entries, valid), 1), maximum(sum(valid, 1), 1));
}

/**
 * Evaluates a loss to one number an element, `float32[B·P]`, for elements that are rows: `yPred` is `[B·P, C]`. Elements that do not
 * count (ignored labels) have the loss 0.
 */
export function elementLosses(where: string, loss: PerSampleLoss, yTrue: Tensor, yPred: Tensor): Tensor1D {
  const count = yPred.shape[0] as number;
  const given = evaluated(where, loss, yTrue, yPred);
  // A function of single values keeps the axis of 1 that elements of yes-or-no labels have.
  const losses = loss.binary && String(given.shape) === String([count, 1]) ? reshape(given, [count]) : given;
  if (losses.rank !== 1 || losses.size !== count || losses.dtype !== 'float32') {
    const shapes = `float32 of shape [${count}] for yPred of shape ${shapeText(yPred.shape)}`;
    const isOfEach = String(losses.shape) === String(yPred.shape);
    const promise = isOfEach ? ' For yes-or-no labels say so: Object.assign(loss, {binary: {fromLogits: true}}).' : '';
    const remedy = `It is given elements as rows: reduce over the last axis, and over no other.${promise}`;
    throw typeError(where, 'loss', `return one value for each element, ${shapes}`, kindOf(losses), remedy);
  }
  const valid = validRows(loss, yTrue);
  return (valid ? chooseEach(notEqual(valid, 0), losses, zerosLike(losses)) : losses) as Tensor1D;
}

/** The outputs whose losses count; a loss that counts 0 is not computed, unless all of them do. */
export function countedOutputs(lossWeights: readonly number[]): number[] {
  const counted = [...lossWeights.keys()].filter((output) => (lossWeights[output] as number) > 0);
  return counted.length > 0 ? counted : [...lossWeights.keys()];
}

/** Checks the truth of some outputs, for losses that look at their labels; `marksOf` an output say 0 of rows that do not count. */
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
 * Evaluates the loss of each output that counts, times what it counts; `lossesOf` says how a loss becomes one number a row.
 *
 * @param finite  `bool[count]`, rows that were not replaced by others, which a loss that skips NaN does not see.
 * @param valid  `[count]`, 0 for rows that such a loss does not see either; their losses are 0.
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
  // Outputs may have several rows for each of the batch, of which nobody knows whose they are.
  const seen = (prediction: Tensor) =>
    seenRows && prediction.shape[0] === seenRows.size ? nanUnless(seenRows, prediction) : prediction;
  return countedOutputs(lossWeights).map((output) => {
    const loss = losses[output] as PerSampleLoss | JointLoss;
    const given = loss.skipsNaN ? predictions.map(seen) : predictions;
    const [yTrue, yPred] = [ys[output] as Tensor, given[output] as Tensor];
    // A joint loss has a value for each row of the targets.
    const ofAll = isJoint(loss)
      ? lossesOf(where, () => loss.compute(ys, given), yTrue, yTrue)
      : lossesOf(where, loss, yTrue, yPred);
    const isPadded = loss.skipsNaN && valid && valid.size === ofAll.size;
    const ofRows = isPadded ? (chooseEach(notEqual(valid, 0), ofAll, zerosLike(ofAll)) as Tensor1D) : ofAll;
    return lossWeights[output] === 1 ? ofRows : mul<Tensor1D>(ofRows, lossWeights[output] as number);
  });
}

/** Marks the rows that a loss may compare with others, `bool[count]`; undefined for all. */
export function comparableRows(finite: Tensor1D | undefined, valid: Tensor1D | undefined): Tensor1D | undefined {
  if (!valid) return finite;
  const isValid = notEqual(valid, 0) as Tensor1D;
  return finite ? logicalAnd(finite, isValid) : isValid;
}

/**
 * Marks the rows in which at least one entry counts, `float32[B]`; undefined if the loss counts everything.
 *
 * @param finite  `bool[B]`, rows that others may be compared with. What is left out is not finite, but counts.
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

/** The shape of a loss for an error, and its type if that is wrong. */
function kindOf(losses: Tensor): unknown {
  return losses.dtype === 'float32' ? losses.shape : `${losses.dtype} of shape ${shapeText(losses.shape)}`;
}

function perRow(values: Tensor): Tensor {
  const batchSize = values.shape[0] as number;
  return reshape(values, [batchSize, values.size / batchSize]);
}
