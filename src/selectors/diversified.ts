import {checkBoolean, checkOptionNames} from '../checks';
import type {Keep, Selector} from '../types';
import {keepPicked, matchingPursuit} from './greedyPicks';
import {gramOf, type LastLayerOptions, lastLayerOf, squaresOf, weightlessLast} from './lastLayer';
import {checkKeep} from './ranking';
import {selector} from './selector';

const NAME = 'diversified';

export type DiversifiedOptions = Keep & LastLayerOptions;

/**
 * Keeps examples whose gradients together best approximate the gradient of the batch.
 *
 *     G_i = (p_i − y_i) ⊗ h_i;  r = mean G
 *     K times:  keep i with the largest |⟨G_i, r⟩|, and project G_i out of r and all G
 *
 * Diversified batch selection (DivBS): the largest losses are often alike, and one of several rows
 * with the same gradient is enough. G is the gradient of the cross-entropy by the last dense layer,
 * whose input is h. No gradient is computed: one matrix (E Eᵀ) ∘ (H Hᵀ) of `B²` numbers holds all
 * inner products. On a GPU the picks stay on the device, in `K` rounds.
 *
 * The selector keeps each row once, by the largest inner product. The authors draw in proportion to
 * it, and may draw a row again. Once the kept gradients span that of the batch, the largest losses
 * follow. Row and class weights scale G_i; rows of weight 0 come last.
 *
 * From logits, p is the softmax, or the sigmoid for binary labels: for a single value per row, or a
 * loss with `binary`. To call the selector directly with several labels per row, pass
 * `{binary: true}` in the context.
 *
 * @param options  `k` or `ratio` and `minK`, as in {@link topK}; `fromLogits` (default false);
 *   `bias`, whether to include the gradient of the bias (default false, as in the authors' code).
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, hardest first. It
 *   `needs` `context.features`, `float32[B, D]`, which the trainers fill in, with `yTrue` and
 *   `yPred`, for a model with one output that ends in a dense layer.
 * @throws RangeError or TypeError for a wrong option; TypeError if `losses` is not `float32[B]`, or
 *   `features`, `yTrue` and `yPred` are missing or not of these rows; RangeError if `fromLogits`
 *   contradicts the loss or the last activation of the model.
 *
 * @example
 * const yTrue = tf.tensor1d([0, 0, 1], 'int32');
 * const yPred = tf.tensor2d([[0.2, 0.8], [0.3, 0.7], [0.6, 0.4]]);
 * const features = tf.tensor2d([[1, 0], [1, 0], [0, 1]]);   // the first two gradients are parallel
 * const losses = tf.tensor1d([1.61, 1.2, 0.92]);
 * diversified({k: 2})(losses, {yTrue, yPred, features}).indices.dataSync();   // Int32Array [0, 2]
 *
 * @see Hong et al., Diversified Batch Selection for Training Acceleration, ICML 2024
 *   (arXiv:2406.04872)
 */
export function diversified(options: DiversifiedOptions = {} as DiversifiedOptions): Selector {
  const {fromLogits = false, bias = false, ...keep} = options ?? {};
  checkOptionNames(NAME, options, ['k', 'ratio', 'minK', 'fromLogits', 'bias']);
  checkBoolean(NAME, 'fromLogits', fromLogits);
  checkBoolean(NAME, 'bias', bias);
  checkKeep(NAME, keep as Keep);
  return selector(
    NAME,
    (batch) => {
      const layer = lastLayerOf(NAME, batch, fromLogits);
      const worth = {gram: gramOf(layer, layer, bias), squares: squaresOf(layer, bias)};
      const {rows, context} = batch;
      const losses = weightlessLast(context, batch.losses);
      return keepPicked(batch, keep as Keep, matchingPursuit({losses, rows, context}, worth));
    },
    undefined,
    {needs: ['features']},
  );
}
