import {backend, getBackend} from '@tensorflow/tfjs-core';
import type {SmallModel} from '../smallModels';
import {type Compared, compareSteps} from '../smallSteps';

export interface SmallLaunches extends Compared<number> {
  name: string;
}

/**
 * Counts the launches of a step that mines the harder half of a batch, and those of `trainOnBatch`,
 * on the GPU backend in use.
 */
export async function smallLaunches(small: SmallModel): Promise<SmallLaunches> {
  return {name: small.name, ...(await compareSteps(small, launches))};
}

/**
 * Counts the launches on the GPU backend in use while `run` runs: draw calls on webgl, dispatches
 * on webgpu.
 *
 * @param run  may return a promise; launches count until it settles.
 */
export async function launches(run: () => unknown): Promise<number> {
  const counters = launchers().map(([owner, method]) => countCalls(owner, method));
  try {
    await run();
  } finally {
    for (const {stop} of counters) stop();
  }
  return counters.reduce((total, {calls}) => total + calls(), 0);
}

type Launcher = readonly [owner: object, method: string];

function launchers(): readonly Launcher[] {
  if (getBackend() === 'webgpu') return [[GPUComputePassEncoder.prototype, 'dispatchWorkgroups']];
  const {gl} = (backend() as unknown as {gpgpu: {gl: WebGL2RenderingContext}}).gpgpu;
  const prototype = Object.getPrototypeOf(gl) as object;
  return [
    [prototype, 'drawArrays'],
    [prototype, 'drawElements'],
  ];
}

/** Counts the calls of a method, of all objects that inherit it, until it stops. */
function countCalls(owner: object, method: string) {
  const methods = owner as Record<string, (...given: unknown[]) => unknown>;
  const original = methods[method] as (...given: unknown[]) => unknown;
  let count = 0;
  methods[method] = function (this: unknown, ...given) {
    count++;
    return original.apply(this, given);
  };
  return {
    calls: () => count,
    stop: () => {
      methods[method] = original;
    },
  };
}
