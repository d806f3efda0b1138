/** @file Losses of independent yes-or-no labels: their mean, without labels that do not count. */

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
import {asFloat, closedForm, matched, ofLabels, perFeature, withFeatureAxis, withTruthCheck} from './formula';

/** Labels that were computed, such as resized masks, may be off by rounding. */
const ROUNDING = 1e-6;

interface LabelLoss {
  name: string;
  fromLogits: boolean;
  /** A label that counts as no label; undefined if all count. */
  ignoreLabel: number | undefined;
  /** The loss of each label. */
  losses(truth: Tensor, predicted: Tensor): Tensor;
  /** Its derivative by what is predicted. */
  slopes(truth: Tensor, predicted: Tensor): Tensor;
}

/**
 * Builds a loss that is the mean over yes-or-no labels, and over those of them that count.
 *
 * A label outside [0, 1] throws if values may be read; elsewhere its loss is NaN.
 */
export function meanOfLabels({name, fromLogits, ignoreLabel, losses, slopes}: LabelLoss): PerSampleLoss {
  if (ignoreLabel !== undefined) checkInteger(name, 'ignoreLabel', ignoreLabel);
  const check = labelCheck(name, ignoreLabel);
  const partsOf = (yTrue: Tensor, yPred: Tensor) => {
    const {truth, predicted} = matched(name, yTrue, yPred);
    if (ignoreLabel === undefined) return {truth, predicted, counted: undefined};
    // Not on a tape: tfjs has no gradient for a comparison, not even 0.
    const counted = offTape(() => notEqual(truth, ignoreLabel));
    // What is ignored must reach no gradient, not even times 0.
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
  if (ignoreLabel !== undefined) loss.valid = validLabels(name, ignoreLabel);
  return withTruthCheck(ofLabels(loss, fromLogits), check.check);
}

/** Checks labels once: a trainer does it before the loss is recorded, which must not read. */
function labelCheck(name: string, ignoreLabel: number | undefined) {
  const known = new WeakSet<object>();
  // What is not finite is for the trainers to leave out.
  const isLabel = (label: number) => Math.abs(label - 0.5) <= 0.5 + ROUNDING || !Number.isFinite(label);
  const isRight = (label: number) => isLabel(label) || label === ignoreLabel;
  const more = ignoreLabel === undefined ? '' : `, or ${ignoreLabel}`;
  const remedy = 'Pass {ignoreLabel} for labels that are not to count.';
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

/** Labels with 0 in the rows that some mark says 0 of: what they hold does not matter. */
function usedLabels(yTrue: Tensor, marks: readonly Tensor1D[]): Tensor {
  return marks.reduce<Tensor>((labels, mark) => {
    const isUsed = reshape(notEqual(mark, 0), [mark.size, ...yTrue.shape.slice(1).map(() => 1)]);
    return chooseEach(isUsed, labels, zerosLike(labels));
  }, clone(yTrue));
}

/** Makes NaN of the losses of wrong labels, if nobody could look at them. */
function judged(losses: Tensor, truth: Tensor): Tensor {
  if (mayReadValues()) return losses;
  const isLabel = offTape(() => lessEqual(abs(sub(truth, 0.5)), 0.5 + ROUNDING));
  return chooseEach(isLabel, losses, fill(losses.shape, Number.NaN));
}

const onlyCounted = (values: Tensor, counted: Tensor): Tensor => chooseEach(counted, values, zerosLike(values));

/** How many labels of the last axis count, at least 1. */
const countsOf = (counted: Tensor, keepAxis = false): Tensor => maximum(sum(cast(counted, 'float32'), -1, keepAxis), 1);

/** Marks the entries of a loss in which some label counts. */
function validLabels(name: string, ignoreLabel: number) {
  return (yTrue: Tensor, yPred?: Tensor): Tensor =>
    tidy(() => {
      // A truth [B, …] may lack the last axis of [B, …, 1], which only predictions show.
      const labels = yPred ? matched(name, yTrue, yPred).truth : withFeatureAxis(name, asFloat(yTrue));
      const counted = notEqual(labels, ignoreLabel);
      return labels.shape.at(-1) === 1
        ? cast(reshape(counted, labels.shape.slice(0, -1)), 'float32')
        : cast(any(counted, -1), 'float32');
    });
}
