// Compiles only if the types of each entry resolve. The last three calls must be type errors.
import * as tf from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {fitOhem, ohemStep, type PerSampleLoss, type Selector} from 'ohem-tfjs';
import {miningLedger} from 'ohem-tfjs/insight';
import {categoricalCrossentropy} from 'ohem-tfjs/losses';
import {enableWasmThreads, saveTraining} from 'ohem-tfjs/node';
import {tripletLoss} from 'ohem-tfjs/pairs';
import {infoBatch} from 'ohem-tfjs/samplers';
import {linear} from 'ohem-tfjs/schedules';
import {scheduled, topK} from 'ohem-tfjs/selectors';
import {ohemLoss} from 'ohem-tfjs/trainers';
import {enableWasmTraining} from 'ohem-tfjs/wasm';

const loss: PerSampleLoss = categoricalCrossentropy();
const select: Selector = scheduled(topK, linear({from: 1, to: 0.5, steps: 10}));
export const model: LayersModel = sequential({layers: [layers.dense({units: 2, inputShape: [3]})]});
export const step = ohemStep(model, {loss, select, optimizer: tf.train.sgd(0.1)});
export const restore: () => void = enableWasmTraining();
export const threads: Promise<number> = enableWasmThreads(2);
export const compiled = ohemLoss(loss, topK({k: 2}));
export const others = [miningLedger(3), tripletLoss(), infoBatch(), saveTraining];

export async function train(xs: tf.Tensor, ys: tf.Tensor): Promise<number | undefined> {
  const {kept} = await step(xs, ys).read();
  const {history} = await fitOhem(model, xs, ys, {select, epochs: 1, seed: 7});
  return history.kept?.[0] ?? kept;
}

// @ts-expect-error: k is a number.
topK({k: 'two'});
// @ts-expect-error: no such option.
ohemStep(model, {loss, select, optimiser: tf.train.sgd(0.1)});
// @ts-expect-error: a name of no loss.
void fitOhem(model, tf.ones([1]), tf.ones([1]), {loss: 'categorical'});
