import * as tf from '@tensorflow/tfjs';
import {fitOhem, topK} from 'ohem-tfjs';
import type {HookArgs} from './useOhemTraining';

/** Points of a square. The rare class, 2 % of them, fills a small disc. */
function draw(rows: number, seed: number): {xs: tf.Tensor; ys: tf.Tensor} {
  return tf.tidy(() => {
    const xs = tf.randomUniform([rows, 2], -1, 1, 'float32', seed);
    const distances = tf.norm(tf.sub(xs, [0.4, -0.3]), 2, 1, true);
    return {xs, ys: tf.cast(tf.less(distances, 0.16), 'float32')};
  });
}

function build(): tf.LayersModel {
  const dense = (units: number, activation: 'relu' | 'sigmoid') =>
    tf.layers.dense({units, activation, kernelInitializer: tf.initializers.glorotUniform({seed: units})});
  const input = tf.layers.inputLayer({inputShape: [2]});
  const model = tf.sequential({layers: [input, dense(32, 'relu'), dense(16, 'relu'), dense(1, 'sigmoid')]});
  model.compile({optimizer: tf.train.adam(0.01), loss: 'binaryCrossentropy'});
  return model;
}

/** The percentage of the rare points that a model finds. */
async function rareFound(model: tf.LayersModel): Promise<number> {
  const share = tf.tidy(() => {
    const {xs, ys} = draw(5_000, 0.5);
    const guesses = tf.cast(tf.greater(model.predict(xs) as tf.Tensor, 0.5), 'float32');
    return tf.div(tf.sum(tf.mul(guesses, ys)), tf.sum(ys));
  });
  const [found] = await share.data();
  share.dispose();
  return 100 * (found ?? 0);
}

/** Trains on the hardest 64 rows of each batch of 256. */
export async function trainRareClass(args: HookArgs): Promise<number> {
  // A model as small as this trains faster on the processor than by WebGL.
  await tf.setBackend('cpu');
  const model = build();
  const {xs, ys} = draw(8_192, 1);
  try {
    await fitOhem(model, xs, ys, {select: topK({k: 64}), batchSize: 256, epochs: 12, seed: 7, ...args});
    return await rareFound(model);
  } finally {
    tf.dispose([xs, ys]);
    model.dispose();
  }
}
