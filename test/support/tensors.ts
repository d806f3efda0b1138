import {
  dispose,
  env,
  grad,
  memory,
  setBackend,
  sum,
  type Tensor,
  type TensorContainer,
  tidy,
} from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from 'ohem-tfjs';
import {BACKENDS} from './backends';

/** The numbers of what `f` makes; nothing of it stays. */
export function valuesOf(f: () => Tensor): number[] {
  return tidy(() => Array.from(f().dataSync()));
}

/** Runs `f` in a `tidy`, and returns what is not made of tensors. */
export function tidied<T>(f: () => T): T {
  const results: T[] = [];
  tidy(() => {
    results.push(f());
  });
  return results[0] as T;
}

/** The gradient of the sum of a loss with respect to its predictions. */
export function lossGradient(loss: PerSampleLoss, yTrue: Tensor, yPred: Tensor): number[] {
  return valuesOf(() => grad((predictions) => sum(loss(yTrue, predictions)))(yPred));
}

/** How many tensors are left of what `f` made, after what it returned is disposed. */
export function leftBy(f: () => TensorContainer): number {
  const before = memory().numTensors;
  dispose(f());
  return memory().numTensors - before;
}

/** Runs `f` as in production mode, where values are not looked at. */
export function inProduction<T>(f: () => T): T {
  const before = env().getBool('PROD');
  env().set('PROD', true);
  try {
    return f();
  } finally {
    env().set('PROD', before);
  }
}

/** What `f` gives on each backend, in the order of `BACKENDS`. */
export async function onEachBackend<T>(f: () => T | Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (const backend of BACKENDS) {
    await setBackend(backend);
    results.push(await f());
  }
  return results;
}
