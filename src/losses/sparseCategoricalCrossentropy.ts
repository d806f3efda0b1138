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
  neg,
  notEqual,
  oneHot,
  reshape,
  sum,
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
import {asFloat, closedForm} from './formula';
import {logProbabilitiesOf, surpriseOfSoftmax, throughSurprise} from './logProbabilities';

const NAME = 'sparseCategoricalCrossentropy';

export interface SparseCategoricalCrossentropyOptions {
  /** Whether `yPred` are logits; probabilities otherwise. Default false, as in Keras. */
  fromLogits?: boolean;
  /** A label that counts as no label (255 in many segmentation sets, −1 in others). Default: none. */
  ignoreLabel?: number;
  /** What an example of each class counts, one number ≥ 0 a class. Default 1 each. */
  classWeights?: readonly number[];
}

/**
 * Measures how improbable the true class is, for integer labels.
 *
 *     l = −w_y · log p_y,    p = softmax(yPred) from logits, yPred / Σ yPred otherwise;    0 where y is ignored
 *
 * The same numbers and gradients as {@link categoricalCrossentropy} on the one-hot labels. A label outside 0 … C−1 is an
 * error in development on backends whose tensors live in main memory (the labels are looked through: B comparisons on
 * the host). In production mode and on GPUs its loss is NaN, so that the trainers leave the row out and count it.
 *
 * @param options  `fromLogits`, whether `yPred` are logits (default false); `ignoreLabel`, a label that counts as no label:
 *   loss 0, never selected, in no mean (default: none); `classWeights`, `C` numbers ≥ 0 (default 1 each).
 * @returns a loss, `(int32 or float32[B, …] or [B, …, 1], float32[B, …, C]) → float32[B, …]`, in nats.
 * @throws RangeError if a class weight is negative or not finite or `ignoreLabel` no integer (when it is built), or if a
 *   label is no integer in 0 … C−1 (when it is called); TypeError if the shapes do not fit, as they do not for one-hot labels.
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
  // Later changes of the list are none of the loss.
  const classWeights = options.classWeights && [...options.classWeights];
  if (ignoreLabel !== undefined) checkInteger(NAME, 'ignoreLabel', ignoreLabel);

  const isClass = (label: number, classes: number) =>
    Number.isInteger(label) && label >= 0 && label < classes && label !== ignoreLabel;

  /** One-hot rows, and which of them count: undefined for all. Those that do not are of class 0. */
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
      checkValues(NAME, 'yTrue', constraint, labels, isLabel, 'C is the last axis of yPred.');

      const {target, counted} = targetOf(labels, classes);
      const losses = neg(sum(mul(target, logProbabilitiesOf(yPred, fromLogits)), -1));
      if (!counted) return losses;
      const judged = chooseEach(counted, losses, fill(losses.shape, Number.NaN));
      return ignoreLabel === undefined ? judged : chooseEach(notEqual(labels, ignoreLabel), judged, zerosLike(judged));
    },
    (dl, yTrue, yPred) => throughSurprise(countedTarget(dl, yTrue, yPred), yPred, fromLogits),
    fromLogits ? undefined : (dl, yTrue, yPred) => surpriseOfSoftmax(countedTarget(dl, yTrue, yPred), yPred),
  );
  if (ignoreLabel !== undefined) {
    loss.valid = (yTrue) => tidy(() => cast(notEqual(withoutLabelAxis(yTrue), ignoreLabel), 'float32'));
  }
  return loss;
}

/** Marks the labels that are classes and count. */
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

/** Labels as tfjs's trainers hand them on, `[B, …, 1]`, without that axis. */
function withoutLabelAxis(yTrue: Tensor): Tensor {
  return yTrue.rank > 1 && yTrue.shape[yTrue.rank - 1] === 1 ? reshape(yTrue, yTrue.shape.slice(0, -1)) : yTrue;
}
