import type {Tensor} from '@tensorflow/tfjs-core';
import {checkFunction} from '../checks';

const NAME = 'jointLoss';

/** A loss over all outputs of a model. Not a function, which would be the loss of one output. */
export interface JointLoss {
  readonly isJoint: true;
  /** Computes `float32[B]`. */
  compute(ys: Tensor[], predictions: Tensor[]): Tensor;
  /** Promises that a row's loss depends on that row alone, not on its position or other rows. */
  rowwise?: true;
  /** Promises that NaN predictions give their row a NaN loss and change no other row. */
  skipsNaN?: true;
}

/**
 * Builds a mineable loss over all outputs of a model together.
 *
 *     l_i = loss(ys, predictions)_i
 *
 * For a variational autoencoder (reconstruction, mean and variance), two towers (queries and
 * documents) or distillation (labels and a teacher's logits). The number of targets is free: `ys`
 * is the list passed to the trainer, or a list of the one tensor. `sampleWeight` and `lossWeights`
 * apply to this one loss.
 *
 * @param loss  computes `float32[B]`, or `float32[B, …]`, which is averaged over the further axes,
 *   from the targets and the predictions in the order of the outputs. Both arrive unchanged: one
 *   value per row is `[B]`. Its `skipsNaN` carries over.
 * @returns a loss for the option `loss` of `ohemStep`, `fitOhem`, `fitOhemDataset` and
 *   `perSampleLosses`.
 * @throws TypeError if `loss` is not a function.
 *
 * @example
 * const x = tf.input({shape: [4]});
 * const code = tf.layers.dense({units: 2}).apply(x);
 * const model = tf.model({inputs: x, outputs: [tf.layers.dense({units: 4}).apply(code), code]});
 * const loss = jointLoss(([truth], [decoded, code]) => {
 *   const error = tf.sum(tf.squaredDifference(truth, decoded), 1);
 *   return tf.add(error, tf.mul(0.1, tf.sum(tf.square(code), 1)));
 * });
 * const step = ohemStep(model, {loss, select: topK({k: 8}), optimizer: tf.train.adam()});
 * const batch = tf.randomNormal([32, 4]);
 * const {kept} = await step(batch, batch).read();   // 8
 */
export function jointLoss(
  loss: ((ys: Tensor[], predictions: Tensor[]) => Tensor) & Pick<JointLoss, 'skipsNaN'>,
): JointLoss {
  checkFunction(NAME, 'loss', 'be a function (ys, predictions) => float32[B]', loss);
  return {isJoint: true, compute: loss, ...(loss.skipsNaN && {skipsNaN: true})};
}
