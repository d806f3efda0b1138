import {cast, where as chooseEach, fill, type Tensor1D, tidy} from '@tensorflow/tfjs-core';
import {checkFunction, checkRows} from '../checks';
import type {SelectionContext, Selector} from '../types';
import {selectable} from './ranking';

const NAME = 'scored';

/** What rows are ranked by in the place of their losses: `float32[B]`, larger = to be kept first. NaN keeps a row out. */
export type Score = (losses: Tensor1D, context: SelectionContext) => Tensor1D;

/**
 * Lets a selector go by another score than the loss.
 *
 *     kept = selector(score(losses, context), context)
 *
 * For rules that are not after the largest loss: what can still be learned ({@link reducibleLoss}), the size of the gradient
 * ({@link gradientNormBound}), or a function of your own. Only the choice changes: trained is with the losses. "Hardest first" then means the largest
 * score, and `aboveThreshold` compares scores.
 *
 * @param selector  a selector; what it remembers is scores too.
 * @param score  a function of the losses `float32[B]` and the context that gives `float32[B]`.
 * @returns a selector with the `K` of the given one. A row whose loss or score is not finite is never kept.
 * @throws TypeError if `selector` or `score` is no function (when it is built), or if the score is not one number for each row, or
 *   `losses` not `[B]` (when it is called).
 *
 * @example
 * const easiest = scored(topK({k: 2}), (losses) => tf.neg(losses));
 * easiest(tf.tensor1d([0.1, 0.9, 0.3])).indices.dataSync();   // Int32Array [0, 2]
 */
export function scored(selector: Selector, score: Score): Selector {
  checkFunction(NAME, 'selector', 'be a selector', selector, 'Build one: topK({ratio: 0.75}).');
  checkFunction(NAME, 'score', 'be a function of losses and context', score, 'Build one: reducibleLoss().');
  const {remember, schedule} = selector;
  const scoresOf = (losses: Tensor1D, context: SelectionContext) => {
    const rows = selectable(NAME, losses, context);
    const scores = score(losses, context);
    checkRows(NAME, 'score', scores, losses.size);
    return chooseEach(rows, cast(scores, 'float32'), fill(losses.shape, Number.NaN)) as Tensor1D;
  };

  const select: Selector = (losses, context = {}) => tidy(() => selector(scoresOf(losses, context), context));
  return Object.assign(
    select,
    schedule && {schedule},
    remember && {
      remember: (losses: Tensor1D, context: SelectionContext = {}) =>
        tidy(() => remember(scoresOf(losses, context), context)),
    },
  );
}
