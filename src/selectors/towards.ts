import {mean, mul, Tensor, type Tensor1D} from '@tensorflow/tfjs-core';
import {checkBoolean, checkFinitePositive, checkFloat32Positive, checkOptionNames, typeError} from '../checks';
import type {Keep, SelectionContext, Selector, ValidationBatch} from '../types';
import {byInteraction, keepPicked} from './greedyPicks';
import {factorsOf, gramOf, type LastLayer, type LastLayerOptions, lastLayerOf, weightlessLast} from './lastLayer';
import {checkKeep} from './ranking';
import {selector} from './selector';

const NAME = 'towards';

export type TowardsOptions = Keep &
  LastLayerOptions & {
    /** Learning rate η of a single row; a finite number > 0. */
    learningRate: number;
  };

/**
 * Keeps examples whose gradients reduce the loss of validation rows.
 *
 *     s_i = η · mean_v ⟨G_i, G_v⟩,    G_i = (p_i − y_i) ⊗ [h_i, 1]
 *     K times:  keep i with the largest s_i;  s ← s − η² · ⟨G, G_i⟩
 *
 * GREATS: s is the first-order reduction of the validation loss by an SGD step with row i, beyond
 * that of the rows kept before. G is the gradient of the cross-entropy by the last dense layer,
 * whose input is h; no gradient is computed.
 *
 * The trainer runs the validation rows forward in each step, in inference mode. Use few rows, and
 * no training rows. Row and class weights scale G_i; rows of weight 0 come last. For several binary
 * labels per row, p is as in {@link diversified}.
 *
 * @param validation  `{xs, ys}`, as for a step; the caller keeps them, and each step reads them.
 * @param options  `learningRate`; `k` or `ratio` and `minK`, as in {@link topK}; `fromLogits`
 *   (default false); `bias`, whether to include the gradient of the bias (default true).
 * @returns a selector, `float32[B]` → `{indices: int32[K], weights: float32[K]}`, hardest first. It
 *   `needs` `context.features`, `float32[B, D]`, and `context.validation`, which the trainers fill
 *   in, with `yTrue` and `yPred`, for a model with one output that ends in a dense layer.
 * @throws RangeError or TypeError for a wrong option; TypeError if `losses` is not `float32[B]`, or
 *   part of the needed context is missing or not of these rows; RangeError if `fromLogits`
 *   contradicts the loss or the last activation of the model.
 *
 * @example
 * const xs = tf.tensor2d([[0, 1]]);
 * const select = towards({xs, ys: tf.tensor1d([1], 'int32')}, {k: 1, learningRate: 0.1});
 * const yTrue = tf.tensor1d([0, 1], 'int32');
 * const yPred = tf.tensor2d([[0.2, 0.8], [0.6, 0.4]]);
 * const features = tf.tensor2d([[1, 0], [0, 1]]);
 * const validation = {features: xs, yTrue: tf.tensor1d([1], 'int32'), yPred: tf.tensor2d([[0.5, 0.5]])};
 * const context = {yTrue, yPred, features, validation};   // as a trainer has it
 * select(tf.tensor1d([1.61, 0.92]), context).indices.dataSync();   // Int32Array [1]
 *
 * @see Wang et al., GREATS: Online Selection of High-Quality Data for LLM Training in Every
 *   Iteration, NeurIPS 2024
 */
export function towards(validation: ValidationBatch, options: TowardsOptions = {} as TowardsOptions): Selector {
  const {learningRate, fromLogits = false, bias = true, ...keep} = options ?? {};
  checkValidation(validation);
  checkOptionNames(NAME, options, ['k', 'ratio', 'minK', 'learningRate', 'fromLogits', 'bias']);
  checkBoolean(NAME, 'fromLogits', fromLogits);
  checkBoolean(NAME, 'bias', bias);
  checkKeep(NAME, keep as Keep);
  checkFinitePositive(NAME, 'learningRate', learningRate);
  checkFloat32Positive(NAME, 'the square of learningRate', learningRate ** 2);
  return selector(
    NAME,
    (batch) => {
      const layer = lastLayerOf(NAME, batch, fromLogits);
      const target = targetOf(batch.context, layer, fromLogits);
      const scores = mul(mean(gramOf(layer, target, bias), 1), learningRate) as Tensor1D;
      const gram = gramOf(layer, layer, bias);
      const ranked = weightlessLast(batch.context, scores);
      return keepPicked(batch, keep as Keep, byInteraction(batch, {gram}, ranked, learningRate ** 2));
    },
    undefined,
    {needs: ['features'], validation},
  );
}

function checkValidation(validation: ValidationBatch): void {
  const isRecord = typeof validation === 'object' && validation !== null && !(validation instanceof Tensor);
  if (!isRecord || validation.xs == null || validation.ys == null) {
    throw typeError(NAME, 'validation', 'be a record {xs, ys}', validation, 'Pass rows that are not trained on.');
  }
  checkOptionNames(NAME, validation, ['xs', 'ys'], 'validation');
  for (const name of ['xs', 'ys'] as const) {
    const given = validation[name];
    const tensors: unknown[] = given instanceof Tensor ? [given] : Object.values(given);
    if (typeof given === 'object' && tensors.every((tensor) => tensor instanceof Tensor)) continue;
    const remedy = 'Convert arrays to tensors with tf.tensor().';
    throw typeError(NAME, `validation.${name}`, 'be a tensor, a list of tensors or a record of them', given, remedy);
  }
}

/** Computes the factors of the gradients of the validation rows. */
function targetOf(
  {validation, binary = false}: SelectionContext,
  {errors, features}: LastLayer,
  fromLogits: boolean,
): LastLayer {
  if (validation === undefined) {
    const remedy = 'The trainers fill it in. To wrap the selector, use mapSelector, which keeps what it needs.';
    throw typeError(NAME, 'validation', 'be in the context', validation, remedy);
  }
  const rows = validation.features?.shape[0] ?? 0;
  const target = factorsOf(`${NAME}: validation`, {...validation, binary}, rows, fromLogits);
  const [ours, theirs] = [
    [features, errors],
    [target.features, target.errors],
  ].map((pair) => pair.map(({shape}) => shape[1]));
  if (String(ours) === String(theirs)) return target;
  const constraint = `have ${ours?.[0]} features and ${ours?.[1]} classes, as the batch`;
  throw typeError(NAME, 'validation', constraint, `${theirs?.[0]} and ${theirs?.[1]}`);
}
