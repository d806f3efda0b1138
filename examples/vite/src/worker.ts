import {setWasmPaths} from '@tensorflow/tfjs-backend-wasm';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import threadedSimd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import * as tf from '@tensorflow/tfjs-core';
import {initializers, type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {all, binaryCrossentropy, ohemStep, type Selector, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {draw} from './data';
import {type Message, STEPS} from './messages';

const send = (message: Message) => self.postMessage(message);

function build(): LayersModel {
  const dense = (units: number, activation: 'relu' | 'linear') =>
    layers.dense({units, activation, kernelInitializer: initializers.glorotUniform({seed: units})});
  return sequential({
    layers: [layers.inputLayer({inputShape: [2]}), dense(32, 'relu'), dense(16, 'relu'), dense(1, 'linear')],
  });
}

/** The percentage of the rare points that a model finds. */
async function rareFound(model: LayersModel): Promise<number> {
  const share = tf.tidy(() => {
    const {xs, ys} = draw(5_000, 0.5);
    const guesses = tf.cast(tf.greater(model.predict(xs) as tf.Tensor, 0), 'float32');
    return tf.div(tf.sum(tf.mul(guesses, ys)), tf.sum(ys));
  });
  const [found] = await share.data();
  share.dispose();
  return 100 * (found ?? 0);
}

function startRun(run: string, select: Selector) {
  const model = build();
  const loss = binaryCrossentropy({fromLogits: true});
  const step = ohemStep(model, {loss, select, optimizer: tf.train.adam(0.01)});
  return {run, model, step};
}

async function train(): Promise<void> {
  setWasmPaths({
    'tfjs-backend-wasm.wasm': plain,
    'tfjs-backend-wasm-simd.wasm': simd,
    'tfjs-backend-wasm-threaded-simd.wasm': threadedSimd,
  });
  if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend did not start');
  enableWasmTraining();
  const runs = [startRun('all rows', all()), startRun('hardest 64', topK({k: 64}))];
  for (let i = 1; i <= STEPS; i++) {
    const {xs, ys} = draw(256, i);
    for (const {run, model, step} of runs) {
      step(xs, ys).dispose();
      if (i % 20 === 0) send({kind: 'progress', run, step: i, found: await rareFound(model)});
    }
    tf.dispose([xs, ys]);
  }
}

train().then(
  () => send({kind: 'done'}),
  (error) => send({kind: 'failed', why: String(error)}),
);
