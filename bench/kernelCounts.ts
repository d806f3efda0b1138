import {getBackend, getKernelsForBackend} from '@tensorflow/tfjs-core';

/** Kernels that give a tensor another shape or name, and compute nothing. */
const VIEWS: ReadonlySet<string> = new Set(['ExpandDims', 'Identity', 'Reshape']);

/** One run of a kernel, by its name in tfjs, and its milliseconds. */
export interface KernelRun {
  name: string;
  ms: number;
}

/** How often each kernel ran, by its name in tfjs. */
export type KernelCounts = ReadonlyMap<string, number>;

/**
 * Counts the kernels of the backend in use that run while `run` does, as `kernelRuns` lists them.
 */
export async function kernelCounts(run: () => unknown): Promise<KernelCounts> {
  const counts = new Map<string, number>();
  for (const {name} of await kernelRuns(run)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/**
 * Lists the kernels of the backend in use that run while `run` does. A kernel that another kernel
 * calls is part of the outer one. Calls of `kernelFunc` of a registered config are listed too,
 * whether the engine makes them or not.
 *
 * @param run  may return a promise; kernels are listed until it settles.
 */
export async function kernelRuns(run: () => unknown): Promise<KernelRun[]> {
  const runs: KernelRun[] = [];
  let depth = 0;
  const configs = getKernelsForBackend(getBackend());
  const originals = configs.map(({kernelFunc}) => kernelFunc);
  for (const config of configs) {
    const {kernelName: name, kernelFunc} = config;
    config.kernelFunc = (...given) => {
      const start = performance.now();
      depth++;
      try {
        return kernelFunc(...given);
      } finally {
        depth--;
        if (depth === 0) runs.push({name, ms: performance.now() - start});
      }
    };
  }
  try {
    await run();
  } finally {
    for (const [place, config] of configs.entries()) config.kernelFunc = originals[place] as typeof config.kernelFunc;
  }
  return runs;
}

/** Adds up the milliseconds of all kernels. */
export function kernelMs(runs: readonly KernelRun[]): number {
  return runs.reduce((total, {ms}) => total + ms, 0);
}

/** The kernels in which a model multiplies or pools: no step over its rows can do without them. */
const OF_THE_MODEL = /MatMul|Conv|MaxPool/;

/** Adds up the milliseconds of products, convolutions and max pools, and of their gradients. */
export function productMs(runs: readonly KernelRun[]): number {
  return kernelMs(runs.filter(({name}) => OF_THE_MODEL.test(name)));
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
