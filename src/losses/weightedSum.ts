import {cast, logicalOr, maximum, mul, notEqual, Tensor, tidy, where, zerosLike} from '@tensorflow/tfjs-core';
import {checkNotNegative, checkOptionNames, rangeError, shapeText, typeError} from '../checks';
import {addUp} from '../rows';
import type {PerSampleLoss} from '../types';
import {
  checkTruth,
  labelMarksOf,
  ofLastAxis,
  rowwise,
  takesLastAxis,
  validEntries,
  withLabelMarks,
  withTruthCheck,
} from './formula';

const NAME = 'weightedSum';

/** A loss and its weight in a sum. */
export interface WeightedLoss {
  loss: PerSampleLoss;
  /** A finite number ≥ 0. Default 1. */
  weight?: number;
}

/**
 * Adds several weighted losses of the same truth and prediction.
 *
 *     l = Σ_i w_i · l_i(yTrue, yPred)
 *
 * For several tasks on one output, or a second loss as a regulariser. For several outputs use
 * `lossWeights` of `ohemStep`. A selector ranks rows by the sum.
 *
 * An entry counts if it counts for at least one loss. A loss that ignores the entry adds 0, so the
 * entry ranks lower than one that every loss counts. A loss of weight 0 is skipped, and its `valid`
 * with it.
 *
 * @param losses  one or more `{loss, weight}`: a per-sample loss, and a finite number ≥ 0 (default
 *   1), not all of them 0.
 * @returns a loss, `(yTrue, yPred) → float32[B]` or `float32[B, …]`, as its members are.
 * @throws TypeError if the list is empty or a member is not a function (when it is built), or if
 *   the losses do not return tensors of one shape (when it is called); RangeError if a weight is
 *   negative or not finite, or all are 0 (when it is built).
 *
 * @example
 * const loss = weightedSum([{loss: meanSquaredError()}, {loss: meanAbsoluteError(), weight: 0.5}]);
 * loss(tf.tensor2d([[0]]), tf.tensor2d([[2]])).dataSync();   // Float32Array [5]
 */
export function weightedSum(losses: readonly WeightedLoss[]): PerSampleLoss {
  const members = membersOf(losses);
  const sum: PerSampleLoss = (yTrue, yPred) =>
    tidy(() => {
      const terms = members.map((member) => termOf(member, yTrue, yPred));
      checkSameShape(terms);
      return addUp(terms);
    });
  if (members.every(({loss}) => loss.valid)) {
    sum.valid = (yTrue: Tensor, yPred?: Tensor) =>
      tidy(() => {
        const marks = members.map(({loss}) => validEntries(loss, yTrue, yPred) as Tensor);
        return marks.map((valid) => cast(notEqual(valid, 0), 'float32')).reduce((a, b) => maximum(a, b));
      });
  }
  const ofLabels = members.map(({loss}) => labelMarksOf(loss));
  if (ofLabels.every((marks) => marks !== undefined)) {
    withLabelMarks(sum, (yTrue, yPred) =>
      ofLabels.map((marks) => marks(yTrue, yPred)).reduce((a, b) => logicalOr(a, b)),
    );
  }
  withTruthCheck(sum, (yTrue, marks) => {
    for (const {loss} of members) checkTruth(loss, yTrue, marks);
  });
  const {binary} = members[0]?.loss ?? {};
  if (binary && members.every(({loss}) => loss.binary)) sum.binary = binary;
  if (members.every(({loss}) => takesLastAxis(loss))) ofLastAxis(sum);
  if (members.every(({loss}) => loss.skipsNaN)) sum.skipsNaN = true;
  const {spread} = members.find(({loss}) => loss.spread)?.loss ?? {};
  if (spread) sum.spread = spread;
  return members.every(({loss}) => loss.rowwise) ? rowwise(sum) : sum;
}

/** Checks the list and drops the losses of weight 0. */
function membersOf(losses: readonly WeightedLoss[]): Required<WeightedLoss>[] {
  if (!Array.isArray(losses) || losses.length === 0) {
    throw typeError(NAME, 'losses', 'be a list of one or more {loss, weight}', losses);
  }
  const members = losses.map((member: WeightedLoss, i) => {
    const name = `losses[${i}]`;
    if (typeof member !== 'object' || typeof member?.loss !== 'function') {
      const remedy = 'Pass {loss: meanSquaredError(), weight: 1}; for a name take fromLayersLoss(name).';
      throw typeError(NAME, name, 'be {loss, weight} with a function for its loss', member, remedy);
    }
    checkOptionNames(NAME, member, ['loss', 'weight']);
    const {loss, weight = 1} = member;
    checkNotNegative(NAME, `${name}.weight`, weight);
    return {loss, weight};
  });
  const counted = members.filter(({weight}) => weight > 0);
  if (counted.length === 0) throw rangeError(NAME, 'losses', 'have a weight > 0', 'weights of 0 only');
  return counted;
}

function termOf({loss, weight}: Required<WeightedLoss>, yTrue: Tensor, yPred: Tensor): Tensor {
  const values: unknown = loss(yTrue, yPred);
  if (!(values instanceof Tensor)) {
    throw typeError(NAME, 'losses', 'return tensors', values, 'Build them first: meanSquaredError().');
  }
  const weighted = mul(values, weight);
  const valid = validEntries(loss, yTrue, yPred);
  return valid ? where(notEqual(valid, 0), weighted, zerosLike(weighted)) : weighted;
}

function checkSameShape(terms: Tensor[]): void {
  const shapes = terms.map(({shape}) => shapeText(shape));
  if (new Set(shapes).size > 1) {
    const remedy = 'Take the mean over the axes that some lack.';
    throw typeError(NAME, 'losses', 'give one shape', shapes.join(' and '), remedy);
  }
}
