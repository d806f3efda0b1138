import {where as chooseEach, fill, type Tensor1D} from '@tensorflow/tfjs-core';
import {checkFunction, checkRows} from '../checks';
import type {SelectionContext, Selector} from '../types';
import {asFloat, selectable} from './ranking';
import {checkSelector, wrapper} from './selector';

const NAME = 'scored';

/** Computes the values to rank rows by, `float32[B]`, largest first. NaN excludes a row. */
export type Score = (losses: Tensor1D, context: SelectionContext) => Tensor1D;

/**
 * Makes a selector rank rows by a score other than the loss.
 *
 *     kept = selector(score(losses, context), context)
 *
 * For rules that do not rank by the loss: the reducible loss ({@link reducibleLoss}), the gradient
 * norm ({@link gradientNormBound}), or your own function. The score only decides which rows are
 * kept; training still minimises the loss. "Hardest first" then means the largest score first, and
 * `aboveThreshold` compares scores.
 *
 * @param selector  a selector; its state holds scores.
 * @param score  a function from the losses `float32[B]` and the context to `float32[B]`.
 * @returns a selector with the `K` and the state of the given one; it keeps rows with finite
 *   scores.
 * @throws TypeError if an argument is not a function, or the score is not one number for each row.
 *
 * @example
 * const easiest = scored(topK({k: 2}), (losses) => tf.neg(losses));
 * easiest(tf.tensor1d([0.1, 0.9, 0.3])).indices.dataSync();   // Int32Array [0, 2]
 */
export function scored(selector: Selector, score: Score): Selector {
  checkSelector(NAME, selector);
  checkFunction(NAME, 'score', 'be a function of losses and context', score, 'Build one: reducibleLoss().');
  const {remember} = selector;
  const ofScores =
    <T>(f: (scores: Tensor1D, context: SelectionContext) => T) =>
    (losses: Tensor1D, context: SelectionContext) => {
      const rows = selectable(NAME, losses, context);
      const scores = score(losses, context);
      checkRows(NAME, 'score', scores, losses.size);
      return f(chooseEach(rows, asFloat(scores), fill(losses.shape, Number.NaN)), context);
    };
  return wrapper(NAME, ofScores(selector), {
    ...selector,
    remember: remember && ofScores(remember),
    // A score may need more of a batch than that it has no row.
    acceptsEmpty: false,
  });
}
