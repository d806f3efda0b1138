/** @file Whether an untrained model returns probabilities or logits, as `fromLogits` says. */

import type {Tensor2D} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {rangeError} from '../checks';
import {takesLogits} from '../losses/formula';
import {isJoint, modelLosses, modelLossWeights, targetNames} from '../models/modelLosses';
import {logitsByActivation} from '../models/outputActivation';

/** How far a probability, or the sum of a row of them, may be off by rounding. */
const ROUNDING = 1e-3;

/** The predictions that a check needs. */
interface Expected {
  fromLogits: boolean;
  /** Whether a row has one class, so that its probabilities add up to 1. */
  isExclusive: boolean;
}

/**
 * Checks `fromLogits` against a model before it is trained: by its last activation, or its loss, or
 * else its predictions.
 *
 * @param predict  computes the predictions of some rows, `[B, C]`.
 */
export async function checkReturned(
  where: string,
  model: LayersModel,
  loss: unknown,
  {fromLogits, isExclusive}: Expected,
  predict: () => Tensor2D,
): Promise<void> {
  const logits = logitsByActivation(model, 0) ?? logitsByLoss(where, model, loss);
  if (logits === fromLogits) return;
  if (logits !== undefined) throw mismatch(where, fromLogits);
  const predictions = predict();
  const columns = predictions.shape[1];
  const values = await predictions.data();
  predictions.dispose();
  const wrong = wrongProbability(values, isExclusive && columns > 1 ? columns : 1);
  if (!fromLogits && wrong !== undefined) {
    const remedy = 'For a model that returns logits, pass {fromLogits: true}.';
    throw rangeError(where, 'makeModel', 'build a model that returns probabilities', wrong, remedy);
  }
  // Logits in [0, 1] are common, but their sums are not 1.
  const areSums = isExclusive && columns > 1 && !values.some(Number.isNaN);
  if (fromLogits && areSums && wrong === undefined) throw mismatch(where, fromLogits);
}

function mismatch(where: string, fromLogits: boolean): RangeError {
  const kind = fromLogits ? 'probabilities' : 'logits';
  const remedy = fromLogits ? 'Leave it out.' : 'Pass {fromLogits: true}, or end the model in a softmax or sigmoid.';
  return rangeError(where, 'fromLogits', `be ${!fromLogits} for a model that returns ${kind}`, fromLogits, remedy);
}

/** Whether the loss of a model with one output takes logits; undefined if that is unknown. */
function logitsByLoss(where: string, model: LayersModel, loss: unknown): boolean | undefined {
  const given = (loss ?? model.loss) as Parameters<typeof modelLosses>[2];
  if (isJoint(given)) return undefined;
  const targets = targetNames(model, given) ?? [];
  const [only] = modelLosses(where, model, given, modelLossWeights(where, targets, undefined));
  return targets.length === 1 && only ? takesLogits(only) : undefined;
}

/** Describes a value that is no probability, or a row whose sum is not 1; NaN passes. */
function wrongProbability(values: ArrayLike<number>, columns: number): string | undefined {
  for (let at = 0; at < values.length; at += columns) {
    const ofRow = Array.from({length: columns}, (_, column) => values[at + column] as number);
    const outside = ofRow.find((p) => p < -ROUNDING || p > 1 + ROUNDING);
    if (outside !== undefined) return String(outside);
    const total = ofRow.reduce((sum, p) => sum + p, 0);
    if (columns > 1 && Math.abs(total - 1) > ROUNDING) return `a row with the sum ${total}`;
  }
  return undefined;
}
