import {env, getBackend, type Tensor1D, topk} from '@tensorflow/tfjs-core';

export interface Descending {
  values: Tensor1D;
  indices: Tensor1D;
}

/** Keeps webgl from sorting on the host, as it does below 100,000 scores or above `count` 128. */
const SORT_ON_DEVICE = {TOPK_LAST_DIM_CPU_HANDOFF_SIZE_THRESHOLD: 0, TOPK_K_CPU_HANDOFF_THRESHOLD: 2 ** 31};

/**
 * Finds the `count` largest scores, largest first; ties keep the lower index. No score may be NaN.
 *
 * The only sort of this library. It never reads the scores: `tf.topk` sorts on the device.
 */
export function descending(scores: Tensor1D, count = scores.size): Descending {
  const sorted = () => topk(scores, count, true) as Descending;
  return getBackend() === 'webgl' ? withFlags(SORT_ON_DEVICE, sorted) : sorted();
}

/** Runs `f` with other flags, and restores them. */
function withFlags<T>(flags: Record<string, number>, f: () => T): T {
  const before = Object.keys(flags).map((name) => [name, env().getNumber(name)] as const);
  try {
    for (const [name, value] of Object.entries(flags)) env().set(name, value);
    return f();
  } finally {
    for (const [name, value] of before) env().set(name, value);
  }
}
