import {getBackend, getKernelsForBackend} from '@tensorflow/tfjs-core';

/** Kernels that give a tensor another shape or name, and compute nothing. */
const VIEWS: ReadonlySet<string> = new Set(['ExpandDims', 'Identity', 'Reshape']);

/** How often each kernel ran, by its name in tfjs. */
export type KernelCounts = ReadonlyMap<string, number>;

/**
 * Counts the kernels of the backend in use that run while `run` does. A kernel that another kernel
 * calls is part of the outer one. Calls of `kernelFunc` of a registered config count too, whether
 * the engine makes them or not.
 *
 * @param run  may return a promise; kernels count until it settles.
 */
export async function kernelCounts(run: () => unknown): Promise<KernelCounts> {
  const counts = new Map<string, number>();
  let depth = 0;
  const configs = getKernelsForBackend(getBackend());
  const originals = configs.map(({kernelFunc}) => kernelFunc);
  for (const config of configs) {
    const {kernelName, kernelFunc} = config;
    config.kernelFunc = (...given) => {
      if (depth === 0) counts.set(kernelName, (counts.get(kernelName) ?? 0) + 1);
      depth++;
      try {
        return kernelFunc(...given);
      } finally {
        depth--;
      }
    };
  }
  try {
    await run();
  } finally {
    for (const [place, config] of configs.entries()) config.kernelFunc = originals[place] as typeof config.kernelFunc;
  }
  return counts;
}

/** Adds up the kernels that compute: all but views. */
export function computing(counts: KernelCounts): number {
  return [...counts].reduce((total, [name, count]) => (VIEWS.has(name) ? total : total + count), 0);
}

/** The `most` kernels that ran most often, views left out, as `Name count`. Ties go by name. */
export function mostFrequent(counts: KernelCounts, most = 3): string {
  return [...counts]
    .filter(([name]) => !VIEWS.has(name))
    .sort(([name, count], [other, others]) => others - count || (name < other ? -1 : 1))
    .slice(0, most)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
