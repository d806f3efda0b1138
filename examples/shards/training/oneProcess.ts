import {dispose, tidy} from '@tensorflow/tfjs-core';
import {categoricalCrossentropy, ohemStep, topK} from 'ohem-tfjs';
import type {DigitData} from '../../mnist/data/digits';
import {testAccuracy} from '../../mnist/experiment/testAccuracy';
import {digitBatches} from './digitBatches';
import {network, optimizerOf} from './network';
import type {OnStep, ShardResult} from './results';
import type {Settings} from './settings';
import {fingerprintOf, restore, stateOf} from './state';

/**
 * Trains the whole batch in this process, by an ordinary top k: what all shards are compared with.
 */
export async function oneProcess(
  settings: Settings,
  digits: DigitData,
  onStep: OnStep = () => {},
): Promise<ShardResult> {
  const batches = digitBatches(digits, settings);
  const [model, optimizer] = [network(settings), optimizerOf(settings)];
  const step = ohemStep(model, {loss: categoricalCrossentropy(), select: topK({k: settings.k}), optimizer});
  const [ms, kept]: number[][] = [[], []];
  for (let at = 0; at < settings.steps; at++) {
    const {xs, ys} = batches.whole(at);
    const start = performance.now();
    const report = step(xs, ys);
    ms?.push(performance.now() - start);
    kept?.push((await report.read()).kept);
    dispose([xs, ys]);
    onStep(at + 1);
  }
  const state = await stateOf(model, optimizer, settings.steps);
  step.dispose();
  tidy(() => optimizer.dispose());
  model.dispose();
  const traffic = {sent: 0, received: 0, losses: 0};
  return {shard: 0, fingerprint: fingerprintOf(state), weights: state.weights, ms: ms ?? [], kept: kept ?? [], traffic};
}

/** The share of test digits that weights get right. */
export async function accuracyOf(weights: Float32Array, settings: Settings, {test}: DigitData): Promise<number> {
  const [model, optimizer] = [network(settings), optimizerOf(settings)];
  try {
    await restore(model, optimizer, {step: 0, weights, momenta: new Float32Array()});
    return await testAccuracy(model, test);
  } finally {
    optimizer.dispose();
    model.dispose();
  }
}
