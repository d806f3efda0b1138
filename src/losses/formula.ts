/** @file What the losses of this library are built of: a formula with its gradient, truth and predictions in one shape. */

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
 * Computes `∂ Σ dl · l / ∂ yPred` for some rows, from `dl` in the shape of their losses with an
 * axis of 1 at the end. Its shape may differ from that of `yPred` by another axis of 1 at the end.
 */
type Gradient = (dl: Tensor, yTrue: Tensor, yPred: Tensor) => Tensor;

/** Marks a loss that goes by what it is given, and by nothing else, with itself: what takes over its fields is another. */
const CLOSED_FORM = Symbol('closed form');

/** Whether a loss goes by what it is given alone, and by the same formula each time. */
export function isClosedForm(loss: object): boolean {
  return (loss as {valid?: unknown}).valid === undefined && (loss as {[CLOSED_FORM]?: unknown})[CLOSED_FORM] === loss;
}

/**
 * Builds a loss that judges each row by itself, and whose gradient by the predictions is a formula.
 *
 * In a step it is a single op: nothing of what the losses are made of is saved, and the formula is evaluated for
 * the kept rows alone. Anybody else's gradient goes through the ops of `losses`.
 *
 * @param ofSoftmax  the gradient by the logits, if `yPred` is their softmax: simpler, and right where that is 0.
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
        // Wanted only where the truth is computed by what is trained.
        yTrue: () => grad((truth) => formula(truth, ofPred as Tensor))(ofTrue as Tensor, dl),
      }),
      ofSoftmax: ofSoftmax && {
        input: 'yPred',
        gradient: (dl, [ofTrue, ofPred]) => applied(ofSoftmax, dl, ofTrue as Tensor, ofPred as Tensor),
      },
    });
  return rowwise(ofLastAxis(Object.defineProperty(loss, CLOSED_FORM, {value: loss})));
}

/** Marks a loss that reduces over the last axis. */
const LAST_AXIS = Symbol('last axis');

/** Says of a loss that its classes or features lie on the last axis of what it is given. */
export function ofLastAxis(loss: PerSampleLoss): PerSampleLoss {
  return Object.defineProperty(loss, LAST_AXIS, {value: loss});
}

/** Whether a loss is known to take the last axis for that of the classes. A function of the user may take any. */
export function takesLastAxis(loss: object | undefined): boolean {
  return (loss as {[LAST_AXIS]?: unknown} | undefined)?.[LAST_AXIS] === loss && loss !== undefined;
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

/** The gradient of `factor` times a mean over the last axis of `features`, by each of them. */
export function perFeature(dl: Tensor, features: Tensor, factor = 1): Tensor {
  return mul(dl, factor / (features.shape.at(-1) as number));
}

/** Computes `f(x)`, whose gradient is `gradient(dy, x)` in place of that of its ops. */
export function withGradient(x: Tensor, f: (x: Tensor) => Tensor, gradient: (dy: Tensor, x: Tensor) => Tensor): Tensor {
  return customGrad((input, save) => {
    (save as (tensors: Tensor[]) => void)([input as Tensor]);
    return {value: f(input as Tensor), gradFunc: (dy, [saved]) => gradient(dy as Tensor, saved as Tensor)};
  })(x);
}

/** Marks a loss that judges each row by itself, whatever its place and however many others there are. */
export function rowwise(loss: PerSampleLoss): PerSampleLoss {
  return Object.assign(loss, {rowwise: true as const});
}

/** Marks a loss that is the mean over independent labels 0 and 1 on the last axis; scores, too, are 0 where they are undecided. */
export function ofLabels(loss: PerSampleLoss, fromLogits: boolean): PerSampleLoss {
  return Object.assign(loss, {binary: {fromLogits}});
}

/** Says which entries count, of a loss that ignores some: its `valid`, by the shape of the predictions if they are known. */
type Valid = (yTrue: Tensor, yPred?: Tensor) => Tensor;

/** Marks the entries of a loss that count, in its shape; undefined if all do. */
export function validEntries(loss: PerSampleLoss, yTrue: Tensor, yPred?: Tensor): Tensor | undefined {
  // Only predictions tell a truth [B, …] from one of [B, …, 1]; a function of the user takes the truth alone.
  return (loss.valid as Valid | undefined)?.(yTrue, yPred);
}

/** What looks at the truth of a loss before the loss is computed. */
const TRUTH_CHECK = Symbol('truth check');

type TruthCheck = (yTrue: Tensor, marks?: readonly Tensor1D[]) => void;

/** Gives a loss a check of its truth, for those who compute it without reading anything. */
export function withTruthCheck(loss: PerSampleLoss, check: TruthCheck): PerSampleLoss {
  return Object.defineProperty(loss, TRUTH_CHECK, {value: check});
}

/**
 * Checks the truth of a loss if values may be read, and if the loss has labels to check.
 *
 * @param marks  `[B]` each; 0 for rows that do not count, whose labels may be any.
 */
export function checkTruth(loss: PerSampleLoss, yTrue: Tensor, marks: readonly Tensor1D[] = []): void {
  (loss as {[TRUTH_CHECK]?: TruthCheck})[TRUTH_CHECK]?.(yTrue, marks);
}

/** Predictions with a last axis to reduce over: one value a row (`float32[B]`) is read as one feature, `float32[B, 1]`. */
export function withFeatureAxis(where: string, yPred: Tensor): Tensor {
  if (yPred.rank === 0) throw typeError(where, 'yPred', 'have a batch axis', yPred.shape);
  return yPred.rank === 1 ? reshape(yPred, [yPred.size, 1]) : yPred;
}

/** The truth as `float32` in the shape of the predictions; only a trailing axis of 1 may be missing or too many. */
export function truthLike(where: string, yTrue: Tensor, yPred: Tensor, remedy = ''): Tensor {
  if (!fits(yTrue.shape, yPred.shape) && !fits(yPred.shape, yTrue.shape)) {
    throw typeError(where, 'yTrue', `have the shape of yPred, ${shapeText(yPred.shape)}`, yTrue.shape, remedy);
  }
  return asFloat(reshape(yTrue, yPred.shape));
}

/** The tensor as `float32`. Of one that is `float32` already a cast would make a copy. */
export function asFloat(tensor: Tensor): Tensor {
  return tensor.dtype === 'float32' ? tensor : cast(tensor, 'float32');
}

/** Truth and predictions in one shape, with a last axis to reduce over. */
export function matched(where: string, yTrue: Tensor, yPred: Tensor): {truth: Tensor; predicted: Tensor} {
  const predicted = withFeatureAxis(where, yPred);
  return {truth: truthLike(where, yTrue, predicted), predicted};
}

/** What is predicted too much, `yPred − yTrue`. */
export function errorsOf(where: string, yTrue: Tensor, yPred: Tensor): Tensor {
  const {truth, predicted} = matched(where, yTrue, yPred);
  return sub(predicted, truth);
}

/** How many classes predictions tell apart on their last axis. */
export function classesOf(where: string, yPred: Tensor): number {
  if (yPred.rank < 2) throw typeError(where, 'yPred', 'have shape [B, …, C]', yPred.shape);
  return yPred.shape[yPred.rank - 1] as number;
}

/** Whether two shapes are the same, but for one more axis of 1 at the end of the second. */
function fits(shape: number[], other: number[]): boolean {
  return shape.length > 0 && [String(shape), String([...shape, 1])].includes(String(other));
}
