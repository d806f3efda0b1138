// Trains a small network on the hardest half of each batch, and fails if it does not learn.
// Usage: node train.mjs cpu|wasm [threads]
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import {initializers, layers, sequential} from '@tensorflow/tfjs-layers';
import {categoricalCrossentropy, fitOhem, ohemStep, topK} from 'ohem-tfjs';
import {perSampleLosses} from 'ohem-tfjs/insight';
import {enableWasmThreads} from 'ohem-tfjs/node';
import {enableWasmTraining} from 'ohem-tfjs/wasm';

const [backend, threads] = process.argv.slice(2);
tf.enableProdMode();
if (threads && (await enableWasmThreads(Number(threads))) !== Number(threads)) {
  console.log('threads are offered in Node only, and wasm runs on one');
  process.exit(75);
}
if (backend === 'wasm') enableWasmTraining();
if (!(await tf.setBackend(backend)) || tf.getBackend() !== backend) throw new Error(`no backend ${backend}`);

// Is the left half of a picture of 4 × 4 brighter than the right one?
const xs = tf.randomUniform([64, 4, 4, 1], 0, 1, 'float32', 7);
const [left, right] = [0, 2].map((from) => tf.sum(tf.slice(xs, [0, 0, from, 0], [64, 4, 2, 1]), [1, 2, 3]));
const isLeft = tf.cast(tf.greater(left, right), 'float32');
const ys = tf.stack([isLeft, tf.sub(1, isLeft)], 1);
const model = sequential({
  layers: [
    layers.conv2d({filters: 4, kernelSize: 2, activation: 'tanh', inputShape: [4, 4, 1], kernelInitializer: seeded(1)}),
    layers.flatten(),
    layers.dense({units: 2, activation: 'softmax', kernelInitializer: seeded(2)}),
  ],
});
const loss = categoricalCrossentropy();
const mean = (losses) => losses.reduce((sum, value) => sum + value, 0) / losses.length;
const before = mean(await perSampleLosses(model, xs, ys, {loss}));

const step = ohemStep(model, {loss, select: topK({ratio: 0.5}), optimizer: tf.train.adam(0.03)});
for (let i = 0; i < 60; i++) {
  const {kept} = await step(xs, ys).read();
  if (kept !== 32) throw new Error(`kept ${kept} rows of 64`);
}
// A row of NaN uses further kernels.
const spoilt = tf.concat([tf.fill([1, 4, 4, 1], Number.NaN), tf.slice(xs, [1, 0, 0, 0], [63, 4, 4, 1])]);
const {nonFinite, batchLoss} = await step(spoilt, ys).read();
if (nonFinite !== 1 || !Number.isFinite(batchLoss)) throw new Error(`${nonFinite} rows not finite, loss ${batchLoss}`);

model.compile({optimizer: tf.train.adam(0.03), loss: 'categoricalCrossentropy', metrics: ['accuracy']});
const {history} = await fitOhem(model, xs, ys, {
  select: topK({ratio: 0.75}),
  epochs: 30,
  batchSize: 32,
  seed: 3,
  verbose: 0,
});
const after = mean(await perSampleLosses(model, xs, ys, {loss}));
const accuracy = history.acc?.at(-1) ?? history.accuracy?.at(-1);
if (!(after < 0.6 * before && accuracy > 0.85)) throw new Error(`loss ${before} to ${after}, accuracy ${accuracy}`);
console.log(`${backend}: loss ${before.toFixed(3)} to ${after.toFixed(3)}, accuracy ${accuracy.toFixed(2)}`);

function seeded(seed) {
  return initializers.glorotUniform({seed});
}
