import {
  addN,
  cast,
  where as chooseEach,
  div,
  greater,
  maximum,
  mean,
  mul,
  notEqual,
  reshape,
  sum,
  Tensor,
  type Tensor1D,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {shapeText, typeError} from '../checks';
import type {PerSampleLoss} from '../types';

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
  const valid = loss.valid && perRow(cast(loss.valid(yTrue), 'float32'));
  if (!valid) return mean(entries, 1);
  return div(sum(mul(entries, valid), 1), maximum(sum(valid, 1), 1));
}

/**
 * Evaluates a loss to one number an element, `float32[B·P]`, for elements that are rows: `yPred` is `[B·P, C]`. Elements that do not
 * count (ignored labels) have the loss 0.
 */
export function elementLosses(where: string, loss: PerSampleLoss, yTrue: Tensor, yPred: Tensor): Tensor1D {
  const losses = evaluated(where, loss, yTrue, yPred);
  const count = yPred.shape[0] as number;
  if (losses.rank !== 1 || losses.size !== count || losses.dtype !== 'float32') {
    const shapes = `float32 of shape [${count}] for yPred of shape ${shapeText(yPred.shape)}`;
    const remedy = 'It is given elements as rows: reduce over the last axis, and over no other.';
    throw typeError(where, 'loss', `return one value for each element, ${shapes}`, kindOf(losses), remedy);
  }
  const valid = validRows(loss, yTrue);
  return (valid ? chooseEach(notEqual(valid, 0), losses, zerosLike(losses)) : losses) as Tensor1D;
}

/** Evaluates the loss of each output, times what it counts; `lossesOf` says how a loss becomes one number a row. */
export function outputLosses(
  where: string,
  losses: PerSampleLoss[],
  lossWeights: number[],
  ys: Tensor[],
  predictions: Tensor[],
  lossesOf: typeof rowLosses = rowLosses,
): Tensor1D[] {
  return predictions.map((yPred, output) => {
    const ofRows = lossesOf(where, losses[output] as PerSampleLoss, ys[output] as Tensor, yPred);
    return lossWeights[output] === 1 ? ofRows : mul<Tensor1D>(ofRows, lossWeights[output] as number);
  });
}

/** The sum over the outputs. */
export function total(terms: Tensor1D[]): Tensor1D {
  return terms.length === 1 ? (terms[0] as Tensor1D) : addN(terms);
}

/** Marks the rows in which at least one entry counts, `float32[B]`; undefined if the loss counts everything. */
export function validRows(loss: PerSampleLoss, yTrue: Tensor): Tensor1D | undefined {
  if (!loss.valid) return undefined;
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
