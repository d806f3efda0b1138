import {
  dispose,
  divNoNan,
  isFinite as isFiniteTensor,
  logicalAnd,
  mul,
  type Scalar,
  scalar,
  sum,
  type Tensor,
  type Tensor1D,
  tidy,
} from '@tensorflow/tfjs-core';
import {checkOneOf, checkOptionNames, typeError} from '../checks';
import {putTapedRows, takeRows, takeTapedRows} from '../gradients/rows';
import {untaped} from '../gradients/tape';
import {countedRows, rowLosses, validRows} from '../models/rowLosses';
import {topK} from '../selectors/topK';
import type {PerSampleLoss, Reduction, Selector} from '../types';
import {countedLosses, REDUCTIONS} from './reduce';
import {checkSelector, settle} from './settle';

const NAME = 'ohemLoss';

export interface OhemLossOptions {
  /** How the kept losses become the loss of the batch. Default `'mean'`. */
  reduction?: Reduction;
}

/**
 * Builds a loss for `model.compile` that trains on the hard rows of each batch only.
 *
 *     mean_i(L_i) = reduction(l_j : j ∈ select(l)),    L_i = 0 for the rows that are not selected
 *
 * Works with `fit`, `fitDataset` and `trainOnBatch`, and with the `classWeight` of `fit` (applied after the selection). It saves
 * no work: tfjs runs all rows backward; for that use {@link ohemStep}. `val_loss` and `evaluate` are mined too, so judge a model
 * by a metric. tfjs cannot save a function as a loss: compile again after loading a model. It takes only one-hot targets for a function, so
 * integer labels go with {@link ohemStep}; and where an input is NaN, tfjs's own step makes every weight NaN, which `ohemStep` does not.
 *
 * @param loss  a per-sample loss.
 * @param select  which rows count. Default `topK({ratio: 0.75})`.
 * @param options  `reduction`, default `'mean'`.
 * @returns a function `(yTrue, yPred) → float32[B]` for `compile({loss})`; its mean is the reduced loss.
 * @throws TypeError or RangeError if an argument is none of these (when it is built), or if the loss does not give one value for
 *   each row (when it is called).
 *
 * @example
 * const model = tf.sequential({layers: [tf.layers.dense({units: 2, activation: 'softmax', inputShape: [3]})]});
 * model.compile({optimizer: 'sgd', loss: ohemLoss(categoricalCrossentropy(), topK({k: 16})), metrics: ['accuracy']});
 *
 * @see Shrivastava, Gupta & Girshick, CVPR 2016, §4.2 (arXiv:1604.03540): the loss layer that sets the loss of easy rows to 0
 */
export function ohemLoss(
  loss: PerSampleLoss,
  select: Selector = topK({ratio: 0.75}),
  options: OhemLossOptions = {},
): (yTrue: Tensor, yPred: Tensor) => Tensor1D {
  checkOptionNames(NAME, options, ['reduction']);
  const {reduction = 'mean'} = options;
  if (typeof loss !== 'function') {
    throw typeError(NAME, 'loss', 'be a per-sample loss', loss, 'Build one: categoricalCrossentropy().');
  }
  checkSelector(NAME, select);
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  let calls = 0;

  return (yTrue, yPred) =>
    tidy(() => {
      const batchSize = yPred.shape[0] as number;
      const chosen = untaped(() => {
        const losses = rowLosses(NAME, loss, yTrue, yPred);
        const valid = validRows(loss, yTrue);
        const selection = select(losses, {step: calls, yTrue, yPred, ...(valid && {valid})});
        return settle(NAME, selection, logicalAnd(isFiniteTensor(losses), countedRows(valid, batchSize)) as Tensor1D);
      });
      calls++;
      try {
        const {rows, selection} = chosen;
        const kept = rowLosses(NAME, loss, takeRows(yTrue, rows), takeTapedRows(yPred, rows, selection.weights));
        const counted = countedLosses(kept, selection.weights);
        const scaled = mul(counted, scaleOf(reduction, selection.weights, batchSize)) as Tensor1D;
        return putTapedRows(scaled, rows, batchSize);
      } finally {
        dispose(chosen);
      }
    });
}

/** What undoes the mean over the batch that tfjs takes of a loss. */
function scaleOf(reduction: Reduction, weights: Tensor1D, batchSize: number): Scalar {
  if (reduction === 'mean') return divNoNan(batchSize, sum(weights)) as Scalar;
  return scalar(reduction === 'sum' ? batchSize : 1);
}
