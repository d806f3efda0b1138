/** @file Whether an untrained model returns probabilities or logits, as `fromLogits` says. */

import type {Tensor2D} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {rangeError} from '../checks';
import {takesLogits} from '../losses/formula';
import {type Losses, modelLosses} from '../models/modelLosses';
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
  const [only] = modelLosses(where, model, loss as Losses | undefined);
  const logits = logitsByActivation(model, 0) ?? (model.outputs.length === 1 ? takesLogits(only as object) : undefined);
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
  return rangeError(where, 'fromLogits', `be ${!fromLogits} for a model that returns ${kind}`, fromLogits);
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
