import * as tf from '@tensorflow/tfjs-core';

/** Points of a square. The rare class, 2 % of them, fills a small disc. */
export function draw(rows: number, seed: number): {xs: tf.Tensor; ys: tf.Tensor} {
  return tf.tidy(() => {
    const xs = tf.randomUniform([rows, 2], -1, 1, 'float32', seed);
    const distances = tf.norm(tf.sub(xs, [0.4, -0.3]), 2, 1, true);
    return {xs, ys: tf.cast(tf.less(distances, 0.16), 'float32')};
  });
}
