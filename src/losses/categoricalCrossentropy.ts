import {add, mul, neg, sum, type Tensor, tensor1d} from '@tensorflow/tfjs-core';
import {checkBoolean, checkOptionNames, checkUnitInterval, checkWeights, typeError} from '../checks';
import type {PerSampleLoss} from '../types';
import {classesOf, closedForm, truthLike} from './formula';
import {logProbabilitiesOf, surpriseOfSoftmax, throughSurprise} from './logProbabilities';

const NAME = 'categoricalCrossentropy';

export interface CategoricalCrossentropyOptions {
  /** Whether `yPred` are logits; probabilities otherwise. Default false, as in Keras. */
  fromLogits?: boolean;
  /** Share of the truth that is spread evenly over the classes, in [0, 1). Default 0. */
  labelSmoothing?: number;
  /** What an example of each class counts, one number ≥ 0 a class. Default 1 each. */
  classWeights?: readonly number[];
}

/**
 * Measures how improbable the true class is, for one-hot labels.
 *
 *     l = −Σ_c w_c · y_c · log p_c,    p = softmax(yPred) from logits, yPred / Σ yPred otherwise
 *
 * Unlike the loss that tfjs goes by for the same name, its gradient is right down to p = 1e-30 (tfjs clips at 1e-7, and
 * what is more wrong than that is never learned). A softmax that rounds to exactly 0 has no gradient to give outside of a
 * training step, which takes it by the logits: for very confident models prefer logits, computed in log space throughout.
 *
 * @param options  `fromLogits`, whether `yPred` are logits (default false); `labelSmoothing`, s in [0, 1) for
 *   `y ← (1 − s) · y + s / C` (default 0); `classWeights`, `C` numbers ≥ 0 (default 1 each).
 * @returns a loss, `(float32[B, …, C], float32[B, …, C]) → float32[B, …]`, in nats.
 * @throws RangeError if `labelSmoothing` is not in [0, 1) or a class weight is negative or not finite (when it is built);
 *   TypeError if the shapes differ, as they do for integer labels (when it is called).
 *
 * @example
 * const loss = categoricalCrossentropy();
 * loss(tf.tensor2d([[0, 1]]), tf.tensor2d([[0.75, 0.25]])).dataSync();   // Float32Array [1.386294]
 *
 * @see Szegedy et al., Rethinking the Inception Architecture, CVPR 2016, §7 (label smoothing; arXiv:1512.00567)
 */
export function categoricalCrossentropy(options: CategoricalCrossentropyOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['fromLogits', 'labelSmoothing', 'classWeights']);
  const {fromLogits = false, labelSmoothing = 0} = options;
  checkBoolean(NAME, 'fromLogits', fromLogits);
  checkUnitInterval(NAME, 'labelSmoothing', labelSmoothing);
  if (options.classWeights) checkWeights(NAME, 'classWeights', options.classWeights);
  // Later changes of the list are none of the loss.
  const classWeights = options.classWeights && [...options.classWeights];
  const targetOf = (yTrue: Tensor, yPred: Tensor) => {
    const classes = checkClassWeights(NAME, yPred, classWeights);
    const oneHot = truthLike(NAME, yTrue, yPred, 'For integer labels use sparseCategoricalCrossentropy.');
    return weighted(labelSmoothing === 0 ? oneHot : smoothed(oneHot, labelSmoothing, classes), classWeights);
  };
  return closedForm(
    NAME,
    (yTrue, yPred) => neg(sum(mul(targetOf(yTrue, yPred), logProbabilitiesOf(yPred, fromLogits)), -1)),
    (dl, yTrue, yPred) => throughSurprise(mul(dl, targetOf(yTrue, yPred)), yPred, fromLogits),
    fromLogits ? undefined : (dl, yTrue, yPred) => surpriseOfSoftmax(mul(dl, targetOf(yTrue, yPred)), yPred),
  );
}

/** Each class of the target by its weight. */
export function weighted(target: Tensor, classWeights?: readonly number[]): Tensor {
  return classWeights ? mul(target, tensor1d([...classWeights])) : target;
}

function smoothed(oneHot: Tensor, share: number, classes: number): Tensor {
  return add(mul(oneHot, 1 - share), share / classes);
}

/** Checks that predictions have a class axis and that there is a weight for each class; returns how many classes there are. */
export function checkClassWeights(
  where: string,
  yPred: Tensor,
  classWeights?: readonly number[],
  argument = 'classWeights',
): number {
  const classes = classesOf(where, yPred);
  if (classWeights && classWeights.length !== classes) {
    const constraint = `hold one weight for each of the ${classes} classes`;
    throw typeError(where, argument, constraint, `${classWeights.length} weights`);
  }
  return classes;
}
