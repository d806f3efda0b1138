// Trains a network on a rare class twice, on all rows and on the hardest 64 of 256, and compares.
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import {initializers, layers, sequential} from '@tensorflow/tfjs-layers';
import {all, binaryCrossentropy, ohemStep, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';

/** Points of a square. The rare class, 2 % of them, fills a small disc. */
function draw(rows, seed) {
  return tf.tidy(() => {
    const xs = tf.randomUniform([rows, 2], -1, 1, 'float32', seed);
    const distances = tf.norm(tf.sub(xs, [0.4, -0.3]), 2, 1, true);
    return {xs, ys: tf.cast(tf.less(distances, 0.16), 'float32')};
  });
}

function build() {
  const dense = (units, options) =>
    layers.dense({units, kernelInitializer: initializers.glorotUniform({seed: units}), ...options});
  const hidden = [dense(32, {activation: 'relu', inputShape: [2]}), dense(16, {activation: 'relu'})];
  return sequential({layers: [...hidden, dense(1)]});
}

/** The percentage of the rare points that the model finds, and of all points that it gets right. */
function evaluate(model) {
  return tf.tidy(() => {
    const {xs, ys} = draw(10_000, 0.5);
    const guesses = tf.cast(tf.greater(model.predict(xs), 0), 'float32');
    const found = tf.div(tf.sum(tf.mul(guesses, ys)), tf.sum(ys));
    const right = tf.mean(tf.cast(tf.equal(guesses, ys), 'float32'));
    return {found: 100 * found.dataSync()[0], right: 100 * right.dataSync()[0]};
  });
}

async function train(name, select) {
  const model = build();
  const loss = binaryCrossentropy({fromLogits: true});
  const step = ohemStep(model, {loss, select, optimizer: tf.train.adam(0.01)});
  for (let i = 1; i <= 400; i++) {
    const {xs, ys} = draw(256, i);
    const report = await step(xs, ys).read(); // one read of the figures, which disposes the report
    tf.dispose([xs, ys]);
    if (i % 100 > 0) continue;
    const {found, right} = evaluate(model);
    const rare = `${found.toFixed(0)} % of the rare points found`;
    console.log(`${name}, step ${i}: ${rare}, ${right.toFixed(1)} % of all right, ${report.kept} rows kept`);
  }
  step.dispose();
  model.dispose();
}

await tf.setBackend('wasm');
enableWasmTraining();
await train('all rows', all());
await train('hardest 64', topK({k: 64}));
