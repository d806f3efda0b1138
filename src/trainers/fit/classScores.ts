/** @file Whether rows are predicted correctly, and with what confidence. */

import {
  abs,
  all,
  argMax,
  cast,
  where as chooseEach,
  equal,
  greater,
  greaterEqual,
  isFinite as isFiniteTensor,
  less,
  logicalAnd,
  logicalNot,
  logicalOr,
  max,
  maximum,
  min,
  reshape,
  sigmoid,
  softmax,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
} from '@tensorflow/tfjs-core';
import {checkValues, typeError} from '../../checks';
import type {PerSampleLoss} from '../../types';
import type {StepSettings} from '../step/options';

/**
 * Values per row, `float32[B]` each. A type alias, because `tf.tidy` does not accept interfaces.
 */
type ClassScores = {
  /** 1 if the predicted class is the label. */
  correct: Tensor1D;
  /** The probability of the predicted class. */
  confidence: Tensor1D;
};

/** Tolerance for a sum of probabilities. */
const ROUNDING = 1e-3;

/**
 * Builds a function that scores the predicted class of each row, the one of the largest
 * probability. Predictions that are no probabilities are logits, and go through a softmax over the
 * classes. If each class has its own binary loss, its `fromLogits` decides whether they are logits.
 *
 * @throws TypeError or RangeError, when it is called, for a model with several outputs, or without
 *   classes.
 */
export function classScorer({where, losses, targets}: StepSettings, samplerName: string) {
  let isChecked = false;
  const [loss] = losses as PerSampleLoss[];
  const refuse = (argument: string, constraint: string, got: unknown): TypeError =>
    typeError(where, argument, `${constraint} for the sampler ${samplerName}`, got, 'It needs class labels.');
  return (ys: Tensor[], predictions: Tensor[]): ClassScores => {
    const [yTrue, yPred] = [ys[0] as Tensor, predictions[0] as Tensor];
    if (!targets || ys.length !== 1 || predictions.length !== 1) {
      throw refuse('model', 'have one output', targets ? `${predictions.length}` : 'a joint loss');
    }
    const rows = yPred.shape[0] as number;
    const classes = yPred.size / rows;
    const isBinary = classes === 1 && loss?.binary !== undefined;
    if (!isBinary && (yPred.rank !== 2 || classes < 2)) throw refuse('model', 'predict classes, [B, C]', yPred.shape);
    if (yTrue.size !== rows && yTrue.size !== yPred.size) {
      throw refuse('ys', `hold labels, [${rows}] or one-hot [${rows}, ${classes}]`, yTrue.shape);
    }
    if (!isChecked) checkLabels(where, samplerName, yTrue, rows);
    isChecked = true;
    return isBinary
      ? ofYesOrNo(yTrue, yPred, (loss as Required<PerSampleLoss>).binary.fromLogits)
      : ofClasses(yTrue, yPred, rows, loss?.binary);
  };
}

/** Checks that targets are class labels, not regression values, if values may be read. */
function checkLabels(where: string, samplerName: string, yTrue: Tensor, rows: number): void {
  const constraint = `hold class labels for the sampler ${samplerName}`;
  if (yTrue.size === rows) {
    checkValues(where, 'ys', constraint, reshape(yTrue, [rows]), Number.isInteger);
    return;
  }
  const sums = sum(cast(yTrue, 'float32'), -1);
  const isOne = (total: number) => Math.abs(total - 1) < ROUNDING || total === 0;
  checkValues(where, 'ys', `${constraint}, of sum 1`, sums, isOne);
}

function ofYesOrNo(yTrue: Tensor, yPred: Tensor, fromLogits: boolean): ClassScores {
  const rows = yTrue.size;
  const probability = reshape(fromLogits ? sigmoid(yPred) : yPred, [rows]);
  const isYes = greater(probability, 0.5);
  const correct = equal(isYes, greater(reshape(yTrue, [rows]), 0.5));
  return {
    correct: cast(correct, 'float32') as Tensor1D,
    confidence: maximum(probability, sub(1, probability)) as Tensor1D,
  };
}

function ofClasses(yTrue: Tensor, yPred: Tensor, rows: number, binary: PerSampleLoss['binary']): ClassScores {
  const labels = yTrue.size === rows ? cast(reshape(yTrue, [rows]), 'int32') : argMax(yTrue, -1);
  return {
    correct: cast(equal(argMax(yPred, -1), labels), 'float32') as Tensor1D,
    confidence: binary ? ofLikeliest(yPred, binary.fromLogits) : ofDistribution(yPred),
  };
}

/** Returns the largest of independent probabilities, each with its own binary loss. */
function ofLikeliest(yPred: Tensor, fromLogits: boolean): Tensor1D {
  const largest = max<Tensor1D>(yPred, -1);
  return fromLogits ? sigmoid(largest) : largest;
}

/** Returns the largest probability of each row. */
function ofDistribution(yPred: Tensor): Tensor1D {
  const sums = sum(yPred, -1);
  const isDistribution = logicalAnd(less(abs(sub(sums, 1)), ROUNDING), greaterEqual(min(yPred, -1), 0));
  // One row of logits may look like probabilities by chance, so all rows decide; rows that
  // overflowed have no vote.
  const areProbabilities = all(logicalOr(isDistribution, logicalNot(isFiniteTensor(sums))));
  return chooseEach(areProbabilities, max(yPred, -1), max(softmax(yPred), -1)) as Tensor1D;
}
