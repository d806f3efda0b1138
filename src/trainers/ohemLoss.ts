import {
  where as chooseEach,
  fill,
  isFinite as isFiniteTensor,
  mul,
  reshape,
  type Tensor,
  type Tensor1D,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {checkFunction, checkOneOf, givenOptions, type Nullable, typeError} from '../checks';
import {type BatchView, elementView, GRANULARITIES, rowView} from '../data/views';
import {offTape} from '../engine';
import {finiteRows} from '../finite';
import {asMining, checkPlain} from '../losses/formula';
import {byRow, validRows} from '../models/modelLosses';
import {predictionKind} from '../models/outputActivation';
import {nanUnless, putRows, replacedRows} from '../rows';
import {checkSelector} from '../selectors/selector';
import {topK} from '../selectors/topK';
import type {Granularity, PerSampleLoss, Reduction, Selector} from '../types';
import {chooseRows, finiteLosses, REDUCTIONS, selectorState} from './step/selection';

const NAME = 'ohemLoss';

export interface OhemLossOptions {
  /** How the kept losses are reduced to the loss of the batch. Default `'mean'`. */
  reduction?: Reduction;
  /**
   * Mines the rows of a batch (`'sample'`, the default), or each of their elements, as in
   * {@link ohemStep}.
   */
  granularity?: Granularity;
}

/**
 * Builds a loss for `model.compile` that trains only on the hard rows of each batch.
 *
 *     mean_i(L_i) = reduction(l_j : j ∈ select(l)),    L_i = 0 for the rows that are not selected
 *
 * Works with `fit`, `fitDataset` and `trainOnBatch`, with the `classWeight` of `fit` (applied after
 * the selection), and in your own `optimizer.minimize`. The gradient is that of Σ w·l over the
 * whole batch, also for a loss in which rows interact.
 *
 * It saves no work, because tfjs runs all rows backward; use {@link ohemStep} to save it.
 * `val_loss` and `evaluate` are mined too, so judge such a model by a metric. tfjs cannot save a
 * function as a loss: compile again after loading a model. For a function loss, tfjs accepts only
 * one-hot targets; use {@link ohemStep} for integer labels. If an input is NaN, tfjs's own step
 * makes every weight NaN, which `ohemStep` prevents.
 *
 * @param loss  a per-sample loss.
 * @param select  the selector. Default `topK({ratio: 0.75})`.
 * @param options  `reduction`, default `'mean'`; `granularity`, default `'sample'`.
 * @returns a function `(yTrue, yPred) → float32[B]` for `compile({loss})`; its mean is the reduced
 *   loss.
 * @throws TypeError or RangeError if an argument is invalid, or if a selector has a memory, which
 *   could not be disposed here (when it is built), or if the loss does not return one value for
 *   each row or element (when it is called).
 *
 * @example
 * const model = tf.sequential({layers: [tf.layers.dense({units: 2, activation: 'softmax', inputShape: [3]})]});
 * model.compile({optimizer: 'sgd', loss: ohemLoss(categoricalCrossentropy(), topK({k: 16})), metrics: ['accuracy']});
 *
 * @see Shrivastava, Gupta & Girshick, CVPR 2016, §4.2 (arXiv:1604.03540): the loss layer that sets
 *   the loss of easy rows to 0
 */
export function ohemLoss(
  loss: PerSampleLoss,
  select?: Selector | null,
  options?: Nullable<OhemLossOptions> | null,
): (yTrue: Tensor, yPred: Tensor) => Tensor1D {
  const {reduction = 'mean', granularity = 'sample'} = givenOptions(NAME, options, ['reduction', 'granularity']);
  checkFunction(NAME, 'loss', 'be a per-sample loss', loss, 'Build one: categoricalCrossentropy().');
  checkPlain(NAME, loss);
  const perSample = byRow(loss);
  const mine = select ?? topK({ratio: 0.75});
  checkMiner(mine);
  checkOneOf(NAME, 'reduction', reduction, REDUCTIONS);
  checkOneOf(NAME, 'granularity', granularity, GRANULARITIES);
  const state = selectorState(NAME, mine);
  const predicts = predictionKind(loss);
  let calls = 0;

  /**
   * Returns the factor of each row's loss, `float32[count]`. Multiplied by `count`, because tfjs
   * takes the mean of a loss over the batch.
   */
  const countsFor = (losses: Tensor1D, yTrue: Tensor, yPred: Tensor, finite: Tensor1D | undefined, group: object) => {
    const count = losses.size;
    const batch = {
      valid: validRows(perSample, yTrue, finite),
      finite,
      count,
      ys: [yTrue],
      context: {step: calls, ...group},
    };
    const forward = {losses, raw: losses, predictions: [yPred], features: undefined};
    const {rows, counts} = chooseRows(
      {where: NAME, select: mine, rankBy: 'weighted', reduction, predicts, validation: undefined},
      batch,
      forward,
      state,
    );
    return putRows(mul<Tensor1D>(counts, count), rows, count);
  };

  return asMining((truth: Tensor, predicted: Tensor) =>
    tidy(() => {
      const view = viewOf(granularity, perSample, truth, predicted);
      const [[yTrue], [yPred]] = [view.targets([truth]), view.predictions([predicted])] as [[Tensor], [Tensor]];
      const losses = view.losses(NAME, perSample, yTrue, yPred);
      const usable = offTape(() => finiteLosses(losses, finiteRows([yTrue, yPred], view.count)));
      const judged = usable ? finiteLossesOf(view, perSample, [yTrue, yPred], usable) : losses;
      const counts = offTape(() => countsFor(losses, yTrue, yPred, usable, view.context({})));
      calls++;
      state.advance(calls);
      return view.gathered(mul(judged, counts));
    }),
  );
}

/**
 * Returns the losses with unusable rows replaced by constants, which get no gradient, not even 0 ·
 * NaN.
 */
function finiteLossesOf(view: BatchView, loss: PerSampleLoss, [yTrue, yPred]: [Tensor, Tensor], usable: Tensor1D) {
  const [truth] = replacedRows([yTrue], usable) as [Tensor];
  if (!loss.skipsNaN) return view.losses(NAME, loss, truth, finitePredictions(yPred, usable));
  const losses = view.losses(NAME, loss, truth, nanUnless(usable, yPred));
  return chooseEach(usable, losses, zerosLike(losses)) as Tensor1D;
}

/** Checks that a selector needs only the inputs of a loss. */
function checkMiner(select: Selector): void {
  checkSelector(NAME, select, 'select');
  if (select.remember) {
    const remedy = 'Use ohemStep, which carries the memory and disposes it.';
    throw typeError(NAME, 'select', 'depend on the batch alone', 'one with a memory', remedy);
  }
  if (!select.needs?.includes('features')) return;
  const remedy = 'Use ohemStep, which has the model.';
  throw typeError(NAME, 'select', 'use only losses, truth and predictions', 'one that needs features', remedy);
}

function viewOf(granularity: Granularity, loss: PerSampleLoss, truth: Tensor, predicted: Tensor): BatchView {
  if (granularity === 'sample') return rowView(NAME, predicted.shape[0] as number);
  return elementView(NAME, 'yTrue', [truth], [{name: 'yPred', shape: predicted.shape, isBinary: 'binary' in loss}]);
}

/** Replaces predictions of unusable rows by constants, which get no gradient. */
function finitePredictions(yPred: Tensor, usable: Tensor1D): Tensor {
  const others = offTape(() => {
    const [rows] = replacedRows([yPred], usable) as [Tensor];
    return chooseEach(isFiniteTensor(rows), rows, fill(rows.shape, 0.5));
  });
  const marks = reshape(usable, [usable.size, ...yPred.shape.slice(1).map(() => 1)]);
  return chooseEach(marks, yPred, others);
}
