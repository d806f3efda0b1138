/** @file The triplet loss of all triplets in stock ops of tfjs, without a read. */
import * as tf from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';

/**
 * Normalised distances; the diagonal is moved away from 0, where the root has no slope.
 */
function plainDistances(embeddings: tf.Tensor): tf.Tensor {
  const lengths = tf.sqrt(tf.sum(tf.square(embeddings), 1, true));
  const units = tf.div(embeddings, lengths);
  const products = tf.matMul(units, units, false, true);
  return tf.sqrt(tf.add(tf.relu(tf.sub(2, tf.mul(products, 2))), tf.eye(embeddings.shape[0] as number)));
}

/** The mean over the triplets of each anchor, `float32[B]`. */
export function plainTripletLoss(
  labels: readonly number[],
  embeddings: tf.Tensor,
  {margin, soft = false}: {margin: number; soft?: boolean},
): tf.Tensor {
  const distances = plainDistances(embeddings);
  const isSame = labels.map((label, a) => labels.map((other, b) => +(a !== b && label === other)));
  const isOther = labels.map((label) => labels.map((other) => +(label !== other)));
  const weights = tf.mul(tf.expandDims(tf.tensor2d(isSame), 2), tf.expandDims(tf.tensor2d(isOther), 1));
  const excess = tf.add(tf.sub(tf.expandDims(distances, 2), tf.expandDims(distances, 1)), margin);
  const losses = tf.mul(soft ? tf.softplus(excess) : tf.relu(excess), weights);
  return tf.div(tf.sum(losses, [1, 2]), tf.maximum(tf.sum(weights, [1, 2]), 1));
}

/**
 * The factor of each row in the mean of a selection: rows without a positive count in no mean.
 */
export function sharesOf(labels: readonly number[], rows: readonly number[]): number[] {
  const counts = (row: number) => labels.some((other, b) => b !== row && other === labels[row]);
  const counted = rows.filter(counts);
  return labels.map((_, row) => counted.filter((kept) => kept === row).length / counted.length);
}

/** The rows of the largest losses that count, hardest first. */
export function hardestRows(labels: readonly number[], losses: ArrayLike<number>, count: number): number[] {
  const counting = sharesOf(
    labels,
    labels.map((_, row) => row),
  ).flatMap((share, row) => (share > 0 ? [row] : []));
  return counting.sort((one, other) => (losses[other] as number) - (losses[one] as number)).slice(0, count);
}

/** The gradient of a weighted sum of losses by each weight of a model; the caller disposes it. */
export function plainGradients(
  model: LayersModel,
  xs: tf.Tensor,
  losses: (embeddings: tf.Tensor) => tf.Tensor,
  shares: readonly number[],
): tf.Tensor[] {
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  return tf.tidy(() => {
    const {grads} = tf.variableGrads(
      () =>
        tf.sum(tf.mul(losses(model.apply(xs, {training: true}) as tf.Tensor), tf.tensor1d([...shares]))) as tf.Scalar,
      variables,
    );
    return variables.map(({name}) => grads[name] as tf.Tensor);
  });
}
