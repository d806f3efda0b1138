/** @file Losses of independent binary labels: the mean over the labels that are not ignored. */

import {
  abs,
  any,
  cast,
  where as chooseEach,
  clone,
  div,
  fill,
  lessEqual,
  maximum,
  mean,
  mul,
  notEqual,
  reshape,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {areKnown, checkInteger, checkValues, mayReadValues} from '../checks';
import {offTape} from '../engine';
import type {PerSampleLoss} from '../types';
import {
  asFloat,
  closedForm,
  matched,
  ofLabels,
  perFeature,
  withFeatureAxis,
  withLabelMarks,
  withTruthCheck,
} from './formula';

/** Tolerance for computed labels, such as resized masks, which rounding may push outside [0, 1]. */
const ROUNDING = 1e-6;

interface LabelLoss {
  name: string;
  fromLogits: boolean;
  /** Label to ignore; undefined if all labels count. */
  ignoreLabel: number | undefined;
  /** The loss of each label. */
  losses(truth: Tensor, predicted: Tensor): Tensor;
  /** The derivative of each label's loss with respect to the prediction. */
  slopes(truth: Tensor, predicted: Tensor): Tensor;
}

/**
 * Builds the mean of a binary loss over the labels that are not ignored.
 *
 * A label outside [0, 1] throws if values may be read; otherwise its loss is NaN.
 */
export function meanOfLabels({name, fromLogits, ignoreLabel, losses, slopes}: LabelLoss): PerSampleLoss {
  if (ignoreLabel !== undefined) checkInteger(name, 'ignoreLabel', ignoreLabel);
  const check = labelCheck(name, ignoreLabel);
  const partsOf = (yTrue: Tensor, yPred: Tensor) => {
    const {truth, predicted} = matched(name, yTrue, yPred);
    if (ignoreLabel === undefined) return {truth, predicted, counted: undefined};
    // Off the tape: tfjs comparisons have no gradient, not even 0.
    const counted = offTape(() => notEqual(truth, ignoreLabel));
    // Replace ignored predictions, because 0 times an infinite gradient would be NaN.
    const others = fill(predicted.shape, 0.5);
    return {truth: onlyCounted(truth, counted), predicted: chooseEach(counted, predicted, others), counted};
  };
  const loss = closedForm(
    name,
    (yTrue, yPred) => {
      const {truth, predicted, counted} = partsOf(yTrue, yPred);
      if (!check.isKnown(yTrue)) check.check(yTrue);
      const ofEach = judged(losses(truth, predicted), truth);
      if (!counted) return mean(ofEach, -1);
      return div(sum(onlyCounted(ofEach, counted), -1), countsOf(counted));
    },
    (dl, yTrue, yPred) => {
      const {truth, predicted, counted} = partsOf(yTrue, yPred);
      const ofEach = slopes(truth, predicted);
      if (!counted) return mul(perFeature(dl, ofEach), ofEach);
      return mul(div(dl, countsOf(counted, true)), onlyCounted(ofEach, counted));
    },
  );
  if (ignoreLabel !== undefined) {
    loss.valid = validLabels(name, ignoreLabel);
    withLabelMarks(loss, (yTrue, yPred) => notEqual(matched(name, yTrue, yPred).truth, ignoreLabel));
  }
  return withTruthCheck(ofLabels(loss, fromLogits), check.check);
}

/**
 * Checks labels once: a trainer calls it before it records the loss, which must not read values.
 */
function labelCheck(name: string, ignoreLabel: number | undefined) {
  const known = new WeakSet<object>();
  // Accept labels that are not finite: the trainers skip their rows.
  const isLabel = (label: number) => Math.abs(label - 0.5) <= 0.5 + ROUNDING || !Number.isFinite(label);
  const isRight = (label: number) => isLabel(label) || label === ignoreLabel;
  const more = ignoreLabel === undefined ? '' : `, or ${ignoreLabel}`;
  const remedy = 'Map labels -1 and 1, or 1 and 2, to 0 and 1; pass {ignoreLabel} for labels to ignore.';
  return {
    isKnown: ({dataId}: Tensor): boolean => known.has(dataId),
    check(yTrue: Tensor, marks: readonly Tensor1D[] = []): void {
      if (!mayReadValues()) return;
      if (!areKnown(yTrue, isRight)) {
        const used = tidy(() => usedLabels(yTrue, marks));
        try {
          checkValues(name, 'yTrue', `hold labels from 0 to 1${more}`, used, isRight, remedy);
        } finally {
          used.dispose();
        }
      }
      known.add(yTrue.dataId);
    },
  };
}

/** Labels, with 0 in the rows whose mask is 0: the labels of those rows may be anything. */
function usedLabels(yTrue: Tensor, marks: readonly Tensor1D[]): Tensor {
  return marks.reduce<Tensor>((labels, mark) => {
    const isUsed = reshape(notEqual(mark, 0), [mark.size, ...yTrue.shape.slice(1).map(() => 1)]);
    return chooseEach(isUsed, labels, zerosLike(labels));
  }, clone(yTrue));
}

/** Replaces the losses of wrong labels by NaN if their values could not be checked. */
function judged(losses: Tensor, truth: Tensor): Tensor {
  if (mayReadValues()) return losses;
  const isLabel = offTape(() => lessEqual(abs(sub(truth, 0.5)), 0.5 + ROUNDING));
  return chooseEach(isLabel, losses, fill(losses.shape, Number.NaN));
}

const onlyCounted = (values: Tensor, counted: Tensor): Tensor => chooseEach(counted, values, zerosLike(values));

/** Number of labels on the last axis that count, at least 1. */
const countsOf = (counted: Tensor, keepAxis = false): Tensor => maximum(sum(cast(counted, 'float32'), -1, keepAxis), 1);

/** Builds the `valid` of a loss: a mask of the entries with at least one label that counts. */
function validLabels(name: string, ignoreLabel: number) {
  return (yTrue: Tensor, yPred?: Tensor): Tensor =>
    tidy(() => {
      // Only the predictions show whether a truth [B, …] lacks a last axis of 1.
      const labels = yPred ? matched(name, yTrue, yPred).truth : withFeatureAxis(name, asFloat(yTrue));
      const counted = notEqual(labels, ignoreLabel);
      return labels.shape.at(-1) === 1
        ? cast(reshape(counted, labels.shape.slice(0, -1)), 'float32')
        : cast(any(counted, -1), 'float32');
    });
}
