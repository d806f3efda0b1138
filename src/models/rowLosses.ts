import {
  addN,
  cast,
  div,
  greater,
  maximum,
  mean,
  mul,
  notEqual,
  ones,
  reshape,
  sum,
  Tensor,
  type Tensor1D,
} from '@tensorflow/tfjs-core';
import {shapeText, typeError} from '../checks';
import type {PerSampleLoss} from '../types';

/**
 * Evaluates a loss to one number a row, `float32[B]`: the mean over the further axes of a loss `float32[B, …]`, without
 * the entries that do not count (ignored labels).
 */
export function rowLosses(where: string, loss: PerSampleLoss, yTrue: Tensor, yPred: Tensor): Tensor1D {
  const batchSize = yPred.shape[0] as number;
  const losses: unknown = loss(yTrue, yPred);
  if (!(losses instanceof Tensor)) {
    throw typeError(
      where,
      'loss',
      'return a tensor',
      losses,
      'Build it first, if it takes options: categoricalCrossentropy().',
    );
  }
  if (losses.rank === 0 || losses.shape[0] !== batchSize || losses.dtype !== 'float32') {
    const got = losses.dtype === 'float32' ? losses.shape : `${losses.dtype} of shape ${shapeText(losses.shape)}`;
    const remedy = 'Leave out the mean or the sum over the batch.';
    throw typeError(
      where,
      'loss',
      `return one value for each row, float32 of shape [${batchSize}] or [${batchSize}, …]`,
      got,
      remedy,
    );
  }
  if (losses.rank === 1) return losses as Tensor1D;
  const entries = perRow(losses);
  const valid = loss.valid && perRow(cast(loss.valid(yTrue), 'float32'));
  if (!valid) return mean(entries, 1);
  return div(sum(mul(entries, valid), 1), maximum(sum(valid, 1), 1));
}

/** Evaluates the loss of each output, times what it counts: `float32[B]` for each. */
export function outputLosses(
  where: string,
  losses: PerSampleLoss[],
  lossWeights: number[],
  ys: Tensor[],
  predictions: Tensor[],
): Tensor1D[] {
  return predictions.map((yPred, output) => {
    const ofRows = rowLosses(where, losses[output] as PerSampleLoss, ys[output] as Tensor, yPred);
    return lossWeights[output] === 1 ? ofRows : mul<Tensor1D>(ofRows, lossWeights[output] as number);
  });
}

/** The sum over the outputs. */
export function total(terms: Tensor1D[]): Tensor1D {
  return terms.length === 1 ? (terms[0] as Tensor1D) : addN(terms);
}

/** Marks the rows in which at least one entry counts, `float32[B]`; undefined where the loss counts everything. */
export function validRows(loss: PerSampleLoss, yTrue: Tensor): Tensor1D | undefined {
  if (!loss.valid) return undefined;
  return cast(greater(sum(perRow(cast(notEqual(loss.valid(yTrue), 0), 'float32')), 1), 0), 'float32') as Tensor1D;
}

/** The rows that count, `bool[B]`: all of them where nothing says otherwise. */
export function countedRows(valid: Tensor1D | undefined, batchSize: number): Tensor1D {
  return (valid ? notEqual(valid, 0) : ones([batchSize], 'bool')) as Tensor1D;
}

function perRow(values: Tensor): Tensor {
  const batchSize = values.shape[0] as number;
  return reshape(values, [batchSize, values.size / batchSize]);
}
