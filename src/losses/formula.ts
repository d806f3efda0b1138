/** @file Building blocks of the losses: a formula with its gradient, and shape matching. */

import {
  cast,
  customGrad,
  expandDims,
  grad,
  mean,
  mul,
  reshape,
  sub,
  type Tensor,
  type Tensor1D,
  tidy,
} from '@tensorflow/tfjs-core';
import {shapeText, typeError} from '../checks';
import {ownOp} from '../engine';
import type {PerSampleLoss} from '../types';

type Formula = (yTrue: Tensor, yPred: Tensor) => Tensor;

/**
 * Computes `∂ Σ dl · l / ∂ yPred` for some rows. `dl` has the shape of their losses plus a trailing
 * axis of 1. The result may differ from the shape of `yPred` by a trailing axis of 1.
 */
type Gradient = (dl: Tensor, yTrue: Tensor, yPred: Tensor) => Tensor;

/** Key under which a closed-form loss stores itself; a function that copies its fields differs. */
const CLOSED_FORM = Symbol('closed form');

/** Whether a loss depends on its two arguments alone, by the same formula each time. */
export function isClosedForm(loss: object): boolean {
  return (loss as {valid?: unknown}).valid === undefined && (loss as {[CLOSED_FORM]?: unknown})[CLOSED_FORM] === loss;
}

/**
 * Builds a loss that scores each row independently, with a formula for its gradient.
 *
 * A training step runs it as a single op: it saves no intermediate tensors and evaluates the
 * gradient formula for the kept rows alone. Any other gradient goes through the ops of `losses`.
 *
 * @param ofSoftmax  the gradient by the logits, if `yPred` is their softmax: simpler, and correct
 *   for probabilities of 0.
 */
export function closedForm(name: string, losses: Formula, gradient: Gradient, ofSoftmax?: Gradient): PerSampleLoss {
  const formula: Formula = (yTrue, yPred) => tidy(() => losses(yTrue, yPred));
  const applied = (by: Gradient, dl: Tensor, yTrue: Tensor, yPred: Tensor) =>
    tidy(() => reshape(by(expandDims(dl, -1), yTrue, yPred), yPred.shape));
  const loss = (yTrue: Tensor, yPred: Tensor) =>
    ownOp({
      name,
      inputs: {yTrue, yPred},
      forward: () => formula(yTrue, yPred),
      gradient: (dl, [ofTrue, ofPred]) => ({
        yPred: () => applied(gradient, dl, ofTrue as Tensor, ofPred as Tensor),
        // Needed only if the trained model also computes the truth.
        yTrue: () => grad((truth) => formula(truth, ofPred as Tensor))(ofTrue as Tensor, dl),
      }),
      ofSoftmax: ofSoftmax && {
        input: 'yPred',
        gradient: (dl, [ofTrue, ofPred]) => applied(ofSoftmax, dl, ofTrue as Tensor, ofPred as Tensor),
      },
    });
  return rowwise(ofLastAxis(Object.defineProperty(loss, CLOSED_FORM, {value: loss})));
}

/** Key that marks a loss that reduces over the last axis. */
const LAST_AXIS = Symbol('last axis');

/** Marks a loss whose classes or features lie on the last axis. */
export function ofLastAxis(loss: PerSampleLoss): PerSampleLoss {
  return Object.defineProperty(loss, LAST_AXIS, {value: loss});
}

/** Whether a loss is known to reduce over the last axis; a user's function may use any axis. */
export function takesLastAxis(loss: object | undefined): boolean {
  return (loss as {[LAST_AXIS]?: unknown} | undefined)?.[LAST_AXIS] === loss && loss !== undefined;
}

/** Key that marks a loss that mines by itself. */
const MINES = Symbol('mines');

/** Marks a loss that gives easy rows a loss of 0. */
export function asMining<T extends object>(loss: T): T {
  return Object.defineProperty(loss, MINES, {value: loss});
}

/** Refuses a loss that mines by itself: its losses rank rows that it has ranked already. */
export function checkPlain(where: string, loss: object): void {
  if ((loss as {[MINES]?: unknown})[MINES] !== loss) return;
  const remedy = 'It mines already: pass the loss inside it, such as {loss: categoricalCrossentropy()}.';
  throw typeError(where, 'loss', 'be a loss of all rows', 'the result of ohemLoss', remedy);
}

/** Key of what a loss takes: logits, or probabilities. */
const LOGITS = Symbol('from logits');

/** Marks a loss that takes the logits of classes, or their probabilities. */
export function ofClasses(loss: PerSampleLoss, fromLogits: boolean): PerSampleLoss {
  return Object.defineProperty(loss, LOGITS, {value: fromLogits});
}

/** Whether a loss takes logits; undefined for a loss of numbers, or an unknown one. */
export function takesLogits(loss: object): boolean | undefined {
  const {binary} = loss as PerSampleLoss;
  return binary ? binary.fromLogits : (loss as {[LOGITS]?: boolean})[LOGITS];
}

/** Builds a loss `mean_d f(yPred_d − yTrue_d)` from `f` and its derivative `factor · slope`. */
export function meanOfErrors(
  name: string,
  f: (errors: Tensor) => Tensor,
  slope: (errors: Tensor) => Tensor,
  factor = 1,
): PerSampleLoss {
  return closedForm(
    name,
    (yTrue, yPred) => mean(f(errorsOf(name, yTrue, yPred)), -1),
    (dl, yTrue, yPred) => {
      const errors = errorsOf(name, yTrue, yPred);
      return mul(perFeature(dl, errors, factor), slope(errors));
    },
  );
}

/** The gradient of `factor` times a mean over the last axis of `features`. */
export function perFeature(dl: Tensor, features: Tensor, factor = 1): Tensor {
  return mul(dl, factor / (features.shape.at(-1) as number));
}

/** Computes `f(x)` with the gradient `gradient(dy, x)` instead of that of its ops. */
export function withGradient(x: Tensor, f: (x: Tensor) => Tensor, gradient: (dy: Tensor, x: Tensor) => Tensor): Tensor {
  return customGrad((input, save) => {
    (save as (tensors: Tensor[]) => void)([input as Tensor]);
    return {value: f(input as Tensor), gradFunc: (dy, [saved]) => gradient(dy as Tensor, saved as Tensor)};
  })(x);
}

/** Marks a loss that scores each row independently of its position and of the other rows. */
export function rowwise(loss: PerSampleLoss): PerSampleLoss {
  return Object.assign(loss, {rowwise: true as const});
}

/** Marks a loss as the mean over independent 0/1 labels on the last axis, with a cut at ½ or 0. */
export function ofLabels(loss: PerSampleLoss, fromLogits: boolean): PerSampleLoss {
  return Object.assign(loss, {binary: {fromLogits}});
}

/** A loss's `valid`; takes the predictions too, if they are known, for their shape. */
type Valid = (yTrue: Tensor, yPred?: Tensor) => Tensor;

/** The mask of a loss's entries that count, in its shape; undefined if all do. */
export function validEntries(loss: PerSampleLoss, yTrue: Tensor, yPred?: Tensor): Tensor | undefined {
  // Only predictions distinguish a truth [B, …] from [B, …, 1]; a user's function takes the
  // truth.
  return (loss.valid as Valid | undefined)?.(yTrue, yPred);
}

/** Key of the mask of a loss's labels that count. */
const LABEL_MARKS = Symbol('label marks');

/** The mask of the labels that count, `bool` in the shape of the predictions. */
type LabelMarks = (yTrue: Tensor, yPred: Tensor) => Tensor;

/** Attaches a mask of labels to a loss that is a mean over several labels. */
export function withLabelMarks(loss: PerSampleLoss, marks: LabelMarks): PerSampleLoss {
  return Object.assign(loss, {[LABEL_MARKS]: marks});
}

/** The mask of a loss's labels; undefined if the loss has none. */
export function labelMarksOf(loss: object): LabelMarks | undefined {
  return (loss as {[LABEL_MARKS]?: LabelMarks})[LABEL_MARKS];
}

/** Key of the function that checks a loss's truth before the loss is computed. */
const TRUTH_CHECK = Symbol('truth check');

type TruthCheck = (yTrue: Tensor, marks?: readonly Tensor1D[]) => void;

/** Attaches a truth check, for callers that compute the loss without reading values. */
export function withTruthCheck(loss: PerSampleLoss, check: TruthCheck): PerSampleLoss {
  return Object.defineProperty(loss, TRUTH_CHECK, {value: check});
}

/**
 * Checks the truth of a loss, if values may be read and the loss has labels to check.
 *
 * @param marks  masks `[B]`; rows with a 0 do not count, and their labels may be anything.
 */
export function checkTruth(loss: PerSampleLoss, yTrue: Tensor, marks: readonly Tensor1D[] = []): void {
  (loss as {[TRUTH_CHECK]?: TruthCheck})[TRUTH_CHECK]?.(yTrue, marks);
}

/** Predictions with a last axis to reduce over: `float32[B]` becomes `float32[B, 1]`. */
export function withFeatureAxis(where: string, yPred: Tensor): Tensor {
  if (yPred.rank === 0) throw typeError(where, 'yPred', 'have a batch axis', yPred.shape);
  return yPred.rank === 1 ? reshape(yPred, [yPred.size, 1]) : yPred;
}

/** The truth as `float32` in the shape of the predictions, up to a trailing axis of 1. */
export function truthLike(where: string, yTrue: Tensor, yPred: Tensor, remedy = ''): Tensor {
  if (!fits(yTrue.shape, yPred.shape) && !fits(yPred.shape, yTrue.shape)) {
    throw typeError(where, 'yTrue', `have the shape of yPred, ${shapeText(yPred.shape)}`, yTrue.shape, remedy);
  }
  return asFloat(reshape(yTrue, yPred.shape));
}

/** The tensor as `float32`, itself if it is one already: a cast would copy it. */
export function asFloat(tensor: Tensor): Tensor {
  return tensor.dtype === 'float32' ? tensor : cast(tensor, 'float32');
}

/** Truth and predictions in one shape, with a last axis to reduce over. */
export function matched(where: string, yTrue: Tensor, yPred: Tensor): {truth: Tensor; predicted: Tensor} {
  const predicted = withFeatureAxis(where, yPred);
  return {truth: truthLike(where, yTrue, predicted), predicted};
}

/** The signed errors, `yPred − yTrue`. */
export function errorsOf(where: string, yTrue: Tensor, yPred: Tensor): Tensor {
  const {truth, predicted} = matched(where, yTrue, yPred);
  return sub(predicted, truth);
}

/** The number of classes, the length of the last axis. */
export function classesOf(where: string, yPred: Tensor): number {
  if (yPred.rank < 2) throw typeError(where, 'yPred', 'have shape [B, …, C]', yPred.shape);
  return yPred.shape[yPred.rank - 1] as number;
}

/** Whether `other` equals `shape`, possibly with a trailing axis of 1 added. */
function fits(shape: number[], other: number[]): boolean {
  return shape.length > 0 && [String(shape), String([...shape, 1])].includes(String(other));
}
