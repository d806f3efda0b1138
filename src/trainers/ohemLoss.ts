import {
  dispose,
  isFinite as isFiniteTensor,
  logicalAnd,
  mean,
  mul,
  reshape,
  type Tensor,
  type Tensor1D,
  tidy,
} from '@tensorflow/tfjs-core';
import {checkOneOf, checkOptionNames, typeError} from '../checks';
import {putTapedRows, takeRows, takeTapedRows} from '../gradients/rows';
import {untaped} from '../gradients/tape';
import {countedRows, LOSSES_OF, validRows} from '../models/rowLosses';
import {topK} from '../selectors/topK';
import type {Granularity, PerSampleLoss, Reduction, Selector} from '../types';
import {asRows, elementsOf, GRANULARITIES, rowOfEachElement} from './elements';
import {countedLosses, countsOf, REDUCTIONS} from './reduce';
import {checkSelector, settle} from './settle';

const NAME = 'ohemLoss';

export interface OhemLossOptions {
  /** How the kept losses become the loss of the batch. Default `'mean'`. */
  reduction?: Reduction;
  /** What is mined: the rows of a batch (`'sample'`, the default), or each of their elements, as in {@link ohemStep}. */
  granularity?: Granularity;
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
 * @param options  `reduction`, default `'mean'`; `granularity`, default `'sample'`.
 * @returns a function `(yTrue, yPred) → float32[B]` for `compile({loss})`; its mean is the reduced loss.
 * @throws TypeError or RangeError if an argument is none of these, or a selector that remembers, which nobody would dispose of here (when it is
 *   built), or if the loss does not give one value for each row or element (when it is called).
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
  checkOptionNames(NAME, options, ['reduction', 'granularity']);
  const {reduction = 'mean', granularity = 'sample'} = options;
  if (typeof loss !== 'function') {
    throw typeError(NAME, 'loss', 'be a per-sample loss', loss, 'Build one: categoricalCrossentropy().');
  }
  checkSelector(NAME, select);
  if (select.remember) {
    const remedy = 'Use ohemStep, which keeps what it remembers, and disposes it.';
    throw typeError(NAME, 'select', 'go by the batch alone', 'a selector that remembers', remedy);
  }
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  checkOneOf(NAME, 'granularity', granularity, GRANULARITIES);
  const lossesOf = LOSSES_OF[granularity];
  let calls = 0;

  return (truth, predicted) =>
    tidy(() => {
      const elements =
        granularity === 'element'
          ? elementsOf(NAME, 'yTrue', [truth], [{name: 'yPred', shape: predicted.shape}])
          : undefined;
      const [yTrue, yPred] = elements ? [asRows(truth, elements), asRows(predicted, elements)] : [truth, predicted];
      const batchSize = yPred.shape[0] as number;
      const chosen = untaped(() => {
        const losses = lossesOf(NAME, loss, yTrue, yPred);
        const valid = validRows(loss, yTrue);
        const group = elements && rowOfEachElement(elements);
        const selection = select(losses, {step: calls, yTrue, yPred, ...(group && {group}), ...(valid && {valid})});
        const settled = settle(NAME, selection, logicalAnd(isFiniteTensor(losses), countedRows(valid, batchSize)));
        // Times B, to undo the mean over the batch that tfjs takes of a loss.
        const counts = mul<Tensor1D>(countsOf(settled.selection.weights, batchSize, reduction), batchSize);
        return {...settled, counts};
      });
      calls++;
      try {
        const {rows, selection, counts} = chosen;
        const kept = lossesOf(NAME, loss, takeRows(yTrue, rows), takeTapedRows(yPred, rows, selection.weights));
        const ofBatch = putTapedRows(countedLosses(kept, counts), rows, batchSize);
        return elements ? (mean(reshape(ofBatch, [-1, elements.perRow]), 1) as Tensor1D) : ofBatch;
      } finally {
        dispose(chosen);
      }
    });
}
