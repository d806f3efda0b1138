import {
  cast,
  where as chooseEach,
  equal,
  expandDims,
  fill,
  floor,
  greaterEqual,
  less,
  logicalAnd,
  mul,
  notEqual,
  oneHot,
  reshape,
  type Tensor,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {
  areKnown,
  checkBoolean,
  checkInteger,
  checkOptionNames,
  checkValues,
  checkWeights,
  shapeText,
  typeError,
} from '../checks';
import type {PerSampleLoss} from '../types';
import {checkClassWeights, weighted} from './categoricalCrossentropy';
import {asFloat, closedForm, ofClasses} from './formula';
import {surprise, surpriseOfSoftmax, throughSurprise} from './logProbabilities';

const NAME = 'sparseCategoricalCrossentropy';

export interface SparseCategoricalCrossentropyOptions {
  /** Whether `yPred` holds logits instead of probabilities. Default false, as in Keras. */
  fromLogits?: boolean;
  /** Label to ignore (255 in many segmentation sets, −1 in others). Default: none. */
  ignoreLabel?: number;
  /** Weight of each class, one number ≥ 0 per class. Default 1 each. */
  classWeights?: readonly number[];
}

/**
 * Computes the categorical cross-entropy for integer labels.
 *
 *     l = −w_y · log p_y;    0 if y is ignored
 *     p = softmax(yPred) from logits, yPred / Σ yPred otherwise
 *
 * Gives the same losses and gradients as {@link categoricalCrossentropy} on one-hot labels.
 *
 * On backends whose tensors live in main memory, a label outside 0 … C−1 throws in development. The
 * check costs B comparisons on the host. In production mode and on GPUs the loss is NaN, and the
 * trainers skip and count the row.
 *
 * @param options  `fromLogits`, whether `yPred` holds logits (default false); `ignoreLabel`, a
 *   label whose entries have loss 0, are never selected and count in no mean (default: none);
 *   `classWeights`, `C` numbers ≥ 0 (default 1 each).
 * @returns a loss, `(int32 or float32[B, …] or [B, …, 1], float32[B, …, C]) → float32[B, …]`, in
 *   nats.
 * @throws RangeError if a class weight is negative or not finite or `ignoreLabel` is not an integer
 *   (when it is built), or if a label is not an integer in 0 … C−1 (when it is called); TypeError
 *   if the shapes do not match, as is the case for one-hot labels.
 *
 * @example
 * const loss = sparseCategoricalCrossentropy();
 * loss(tf.tensor1d([1], 'int32'), tf.tensor2d([[0.75, 0.25]])).dataSync();   // Float32Array [1.386294]
 */
export function sparseCategoricalCrossentropy(options: SparseCategoricalCrossentropyOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['fromLogits', 'ignoreLabel', 'classWeights']);
  const {fromLogits = false, ignoreLabel} = options;
  checkBoolean(NAME, 'fromLogits', fromLogits);
  if (options.classWeights) checkWeights(NAME, 'classWeights', options.classWeights);
  // Copy the list, so that later changes to it do not affect the loss.
  const classWeights = options.classWeights && [...options.classWeights];
  if (ignoreLabel !== undefined) checkInteger(NAME, 'ignoreLabel', ignoreLabel);

  const isClass = (label: number, classes: number) =>
    Number.isInteger(label) && label >= 0 && label < classes && label !== ignoreLabel;

  /** One-hot rows and a mask of the rows that count, undefined for all. Other rows get class 0. */
  const targetOf = (labels: Tensor, classes: number) => {
    const counted = areKnown(labels, (label) => isClass(label, classes))
      ? undefined
      : classesAmong(asFloat(labels), classes, ignoreLabel);
    const indices = cast(counted ? chooseEach(counted, labels, zerosLike(labels)) : labels, 'int32');
    return {target: weighted(asFloat(oneHot(indices, classes)), classWeights), counted};
  };

  const countedTarget = (dl: Tensor, yTrue: Tensor, yPred: Tensor) => {
    const {target, counted} = targetOf(labelsFor(yTrue, yPred), yPred.shape.at(-1) as number);
    return mul(counted ? mul(dl, expandDims(counted, -1)) : dl, target);
  };

  const loss = closedForm(
    NAME,
    (yTrue, yPred) => {
      const classes = checkClassWeights(NAME, yPred, classWeights);
      const labels = labelsFor(yTrue, yPred);
      const isLabel = (label: number) => isClass(label, classes) || label === ignoreLabel;
      const constraint = `hold integers from 0 to ${classes - 1}`;
      checkValues(
        NAME,
        'yTrue',
        constraint,
        labels,
        isLabel,
        'C is the last axis of yPred; subtract 1 from labels that begin at 1.',
      );

      const {target, counted} = targetOf(labels, classes);
      const losses = surprise(target, yPred, fromLogits);
      if (!counted) return losses;
      const judged = chooseEach(counted, losses, fill(losses.shape, Number.NaN));
      return ignoreLabel === undefined ? judged : chooseEach(notEqual(labels, ignoreLabel), judged, zerosLike(judged));
    },
    (dl, yTrue, yPred) => throughSurprise(countedTarget(dl, yTrue, yPred), yPred, fromLogits),
    fromLogits ? undefined : (dl, yTrue, yPred) => surpriseOfSoftmax(countedTarget(dl, yTrue, yPred), yPred),
  );
  ofClasses(loss, fromLogits);
  if (ignoreLabel !== undefined) {
    loss.valid = (yTrue) => tidy(() => cast(notEqual(withoutLabelAxis(yTrue), ignoreLabel), 'float32'));
  }
  return loss;
}

/** Mask of the labels that are classes and are not ignored. */
function classesAmong(labels: Tensor, classes: number, ignoreLabel: number | undefined): Tensor {
  const isWhole = equal(labels, floor(labels));
  const known = logicalAnd(isWhole, logicalAnd(greaterEqual(labels, 0), less(labels, classes)));
  return ignoreLabel === undefined ? known : logicalAnd(known, notEqual(labels, ignoreLabel));
}

function labelsFor(yTrue: Tensor, yPred: Tensor): Tensor {
  const shape = yPred.shape.slice(0, -1);
  const labels = yTrue.rank === yPred.rank ? withoutLabelAxis(yTrue) : yTrue;
  if (String(labels.shape) !== String(shape)) {
    const remedy = 'For one-hot labels use categoricalCrossentropy.';
    const constraint = `have the shape of yPred without its classes, ${shapeText(shape)}`;
    throw typeError(NAME, 'yTrue', constraint, yTrue.shape, remedy);
  }
  return labels;
}

/** Removes the trailing axis of labels `[B, …, 1]`, the form in which tfjs trainers pass them. */
function withoutLabelAxis(yTrue: Tensor): Tensor {
  return yTrue.rank > 1 && yTrue.shape[yTrue.rank - 1] === 1 ? reshape(yTrue, yTrue.shape.slice(0, -1)) : yTrue;
}
