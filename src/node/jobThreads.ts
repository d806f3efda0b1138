import {THREADS} from '../backends/wasm/assembled';
import type {JobThreads as Threads} from '../backends/wasm/jobs';
import {endWorkers, startWorkers} from './wasmWorkers';

/** Threads for the jobs of our own kernels, which `end` ends. */
export type JobThreads = Threads & {end(): void};

/** Of one thread: after one message, it computes tiles of all jobs, and never ends. */
const SCRIPT = `
const {parentPort} = require('node:worker_threads');
parentPort.once('message', ({code, threadCode, memory, job, thread}) => {
  const env = {memory};
  const {compute} = new WebAssembly.Instance(code, {env}).exports;
  new WebAssembly.Instance(threadCode, {env, threads: {compute}}).exports.work(job, thread);
});`;

/**
 * Starts threads. They sleep while there is no job, and do not keep
 * the process alive.
 *
 * @throws Error of the first that does not start, as a rejected promise. All are ended then.
 */
export async function startJobThreads(count: number): Promise<JobThreads> {
  const workers = await startWorkers(count, SCRIPT);
  for (const worker of workers) worker.unref();
  return {
    count,
    start(code, memory, job, compute) {
      const threadCode = new WebAssembly.Module(Buffer.from(THREADS, 'base64'));
      for (const [i, worker] of workers.entries()) worker.postMessage({code, threadCode, memory, job, thread: i + 1});
      const {share} = new WebAssembly.Instance(threadCode, {env: {memory}, threads: {compute}}).exports;
      return share as ReturnType<Threads['start']>;
    },
    end: () => endWorkers(workers),
  };
}
