import {add, mul, type Tensor, type Tensor1D, tensor1d} from '@tensorflow/tfjs-core';
import {checkBoolean, checkOptionNames, checkUnitInterval, checkWeights, mayReadValues, typeError} from '../checks';
import {valuesToCheck} from '../engine';
import type {PerSampleLoss} from '../types';
import {classesOf, closedForm, ofClasses, truthLike, withTruthCheck} from './formula';
import {surprise, surpriseOfSoftmax, throughSurprise} from './logProbabilities';

const NAME = 'categoricalCrossentropy';

export interface CategoricalCrossentropyOptions {
  /** Whether `yPred` holds logits instead of probabilities. Default false, as in Keras. */
  fromLogits?: boolean;
  /** Share of each label that is spread evenly over all classes, in [0, 1). Default 0. */
  labelSmoothing?: number;
  /** Weight of each class, one number ≥ 0 per class. Default 1 each. */
  classWeights?: readonly number[];
}

/**
 * Computes the categorical cross-entropy for one-hot labels.
 *
 *     l = −Σ_c w_c · y_c · log p_c,    p = softmax(yPred) from logits, yPred / Σ yPred otherwise
 *
 * Unlike the tfjs loss of the same name, its gradient is correct down to p = 1e-30. tfjs clips
 * probabilities at 1e-7, so worse predictions get no gradient at all.
 *
 * Outside a training step a softmax that rounds to exactly 0 has no gradient; a step differentiates
 * with respect to the logits. For very confident models prefer logits: the loss then stays in log
 * space.
 *
 * @param options  `fromLogits`, whether `yPred` holds logits (default false); `labelSmoothing`, s
 *   in [0, 1) for `y ← (1 − s) · y + s / C` (default 0); `classWeights`, `C` numbers ≥ 0 (default 1
 *   each).
 * @returns a loss, `(float32[B, …, C], float32[B, …, C]) → float32[B, …]`, in nats.
 * @throws RangeError if `labelSmoothing` is not in [0, 1) or a class weight is negative or not
 *   finite (when it is built); TypeError if the shapes differ, as they do for integer labels (when
 *   it is called).
 *
 * @example
 * const loss = categoricalCrossentropy();
 * loss(tf.tensor2d([[0, 1]]), tf.tensor2d([[0.75, 0.25]])).dataSync();   // Float32Array [1.386294]
 *
 * @see Szegedy et al., Rethinking the Inception Architecture, CVPR 2016, §7 (label smoothing;
 *   arXiv:1512.00567)
 */
export function categoricalCrossentropy(options: CategoricalCrossentropyOptions = {}): PerSampleLoss {
  checkOptionNames(NAME, options, ['fromLogits', 'labelSmoothing', 'classWeights']);
  const {fromLogits = false, labelSmoothing = 0} = options;
  checkBoolean(NAME, 'fromLogits', fromLogits);
  checkUnitInterval(NAME, 'labelSmoothing', labelSmoothing);
  if (options.classWeights) checkWeights(NAME, 'classWeights', options.classWeights);
  // Copy the list, so that later changes to it do not affect the loss.
  const classWeights = options.classWeights && [...options.classWeights];
  const targetOf = (yTrue: Tensor, yPred: Tensor) => {
    const classes = checkClassWeights(NAME, yPred, classWeights);
    const areLabels = yTrue.rank < yPred.rank || yTrue.shape.at(-1) === 1;
    const remedy = areLabels ? 'For integer labels use sparseCategoricalCrossentropy.' : '';
    const oneHot = truthLike(NAME, yTrue, yPred, remedy);
    return weighted(labelSmoothing === 0 ? oneHot : smoothed(oneHot, labelSmoothing, classes), classWeights);
  };
  const loss = closedForm(
    NAME,
    (yTrue, yPred) => surprise(targetOf(yTrue, yPred), yPred, fromLogits),
    (dl, yTrue, yPred) => throughSurprise(mul(dl, targetOf(yTrue, yPred)), yPred, fromLogits),
    fromLogits ? undefined : (dl, yTrue, yPred) => surpriseOfSoftmax(mul(dl, targetOf(yTrue, yPred)), yPred),
  );
  return withTruthCheck(ofClasses(loss, fromLogits), emptyRowWatch(labelSmoothing));
}

/**
 * Builds a check that warns once of labels without a class: rows of zeros. Their loss is 0, so
 * mining hides them.
 */
function emptyRowWatch(labelSmoothing: number) {
  let hasWarned = false;
  return (yTrue: Tensor, marks: readonly Tensor1D[] = []): void => {
    const [rows = 0, classes = 1] = [yTrue.shape[0], yTrue.shape.at(-1)];
    if (hasWarned || classes < 2 || yTrue.rank < 2 || !mayReadValues()) return;
    const values = valuesToCheck(yTrue);
    const entries = values.length / classes;
    const empty: number[] = [];
    for (let entry = 0; entry < entries; entry++) {
      let zeros = 0;
      while (zeros < classes && values[entry * classes + zeros] === 0) zeros++;
      if (zeros === classes) empty.push(entry);
    }
    if (empty.length === 0) return;
    const counts = marks.map((mark) => mark.dataSync());
    const wrong = empty.filter((entry) => counts.every((count) => count[Math.floor((entry * rows) / entries)] !== 0));
    if (wrong.length === 0) return;
    hasWarned = true;
    const effect = labelSmoothing === 0 ? 'Their loss is 0, so they are never mined. ' : '';
    console.warn(
      `${NAME}: ${wrong.length} of ${entries} labels in yTrue have no class, the first at position ${wrong[0]}: all ` +
        `zeros. ${effect}tf.oneHot(labels, C) makes them of labels outside 0 … C−1.`,
    );
  };
}

/** Multiplies each class of the target by its weight. */
export function weighted(target: Tensor, classWeights?: readonly number[]): Tensor {
  return classWeights ? mul(target, tensor1d([...classWeights])) : target;
}

function smoothed(oneHot: Tensor, share: number, classes: number): Tensor {
  return add(mul(oneHot, 1 - share), share / classes);
}

/** Checks the class axis and the number of weights; returns the number of classes. */
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
