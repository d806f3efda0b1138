import {nextFrame} from '@tensorflow/tfjs-core';
import type {ModelFitArgs} from '@tensorflow/tfjs-layers';

/** How often a training lets others run, as tfjs's `fit` takes it. */
export type YieldEvery = NonNullable<ModelFitArgs['yieldEvery']>;

/** Lets the page, or whatever else waits, have its turn now and then. */
export interface Pacer {
  afterBatch(): Promise<void>;
  afterEpoch(): Promise<void>;
}

/** Milliseconds of `'auto'`, as in tfjs. */
const AUTO = 125;

export function pacer(yieldEvery: YieldEvery): Pacer {
  const interval = {auto: AUTO, batch: 0, epoch: Number.POSITIVE_INFINITY, never: Number.POSITIVE_INFINITY};
  const milliseconds = typeof yieldEvery === 'number' ? yieldEvery : interval[yieldEvery];
  let last = performance.now();
  return {
    async afterBatch() {
      if (performance.now() - last < milliseconds) return;
      await nextFrame();
      last = performance.now();
    },
    async afterEpoch() {
      if (yieldEvery === 'epoch') await nextFrame();
    },
  };
}
