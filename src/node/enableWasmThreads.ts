import {availableParallelism} from 'node:os';
import {engine, type KernelBackend, registerBackend, removeBackend} from '@tensorflow/tfjs-core';
import {checkCount, typeError} from '../checks';
import {threadedBackend} from './threadedBackend';
import {loadedWasmPackage, type WasmPackage} from './wasmPackage';

const NAME = 'enableWasmThreads';

/** Largest number of threads that the tfjs binary supports. */
const MOST = 8;

/** Marks our factory in the registry, which all copies of this module share. */
const THREADED = Symbol.for('ohem-tfjs/threaded wasm');

type BackendFactory = (() => KernelBackend | Promise<KernelBackend>) & {[THREADED]?: true};

/**
 * Runs the WebAssembly backend on several threads in Node, where tfjs runs it on one.
 *
 *     running = min(threads, 8), or 1 if threads are not available
 *
 * Await it before `tf.setBackend('wasm')`. The threads share large matrix products, convolutions
 * and their gradients; other ops run on the calling thread. The kernels of `enableWasmTraining` may
 * be registered before or after. Their results have the bits of one thread, those of other kernels
 * agree up to rounding. The threads do not keep the process alive.
 *
 * If threads are not available, the stock backend stays, and a warning gives the reason once:
 * - Bun or Deno, the permission model of Node without `--allow-worker`, or no `SharedArrayBuffer`;
 * - a bundle or an installation without the files of `@tensorflow/tfjs-backend-wasm`;
 * - a worker that does not start.
 *
 * @param threads  an integer ≥ 1, including the calling thread. More than 8 count as 8. Default:
 *   the number of cores that Node may use.
 * @returns a promise of the number of threads that run.
 * @throws RangeError naming `threads`; TypeError if the wasm backend has not been imported, or is
 *   in use already. As a rejected promise.
 *
 * @example
 * import '@tensorflow/tfjs-backend-wasm';
 * import {enableWasmThreads} from 'ohem-tfjs/node';
 * import {enableWasmTraining} from 'ohem-tfjs/wasm';
 *
 * const threads = await enableWasmThreads(2);   // 2
 * await tf.setBackend('wasm');
 * enableWasmTraining();
 */
export async function enableWasmThreads(threads: number = availableParallelism()): Promise<number> {
  checkCount(NAME, 'threads', threads);
  checkUnused();
  const wanted = Math.min(threads, MOST);
  if (wanted === 1) return 1;
  let wasm: WasmPackage;
  let backend: KernelBackend;
  try {
    checkRuntime();
    wasm = loadedWasmPackage();
    backend = await threadedBackend(wasm, wanted);
  } catch (error) {
    warnOnce(error instanceof Error ? error.message : String(error));
    return 1;
  }
  try {
    // Check again: the backend may have been set, or this function called, in the meantime.
    checkUnused();
  } catch (error) {
    backend.dispose();
    throw error;
  }
  replaceFactory(backend, () => threadedBackend(wasm, wanted));
  return wasm.getThreadsCount();
}

/** Refuses a backend that may hold tensors: replacing it would lose them. */
function checkUnused(): void {
  const {backendName, registry, registryFactory} = engine();
  const factory: BackendFactory | undefined = registryFactory.wasm?.factory;
  if (!factory) {
    const remedy = "Add import '@tensorflow/tfjs-backend-wasm'.";
    throw typeError(NAME, 'the wasm backend', 'be imported first', 'no backend of that name', remedy);
  }
  if (!(THREADED in factory || 'wasm' in registry || backendName === 'wasm')) return;
  const got = THREADED in factory ? 'one that runs on threads' : 'one in use';
  const remedy = `Await ${NAME} once, before tf.setBackend('wasm').`;
  throw typeError(NAME, 'the wasm backend', 'be unused', got, remedy);
}

/** Refuses runtimes and settings without suitable workers. */
function checkRuntime(): void {
  const {bun, deno} = process.versions;
  if (bun !== undefined || deno !== undefined) throw new Error(`threads need Node, not ${bun ? 'Bun' : 'Deno'}`);
  // Absent unless Node runs under its permission model.
  const permission = process.permission as typeof process.permission | undefined;
  if (permission?.has('worker') === false) throw new Error('the permission model needs --allow-worker');
  if (typeof SharedArrayBuffer === 'undefined') throw new Error('SharedArrayBuffer is missing');
}

const warned = new Set<string>();

function warnOnce(reason: string): void {
  if (warned.has(reason)) return;
  warned.add(reason);
  // Only the first line: for a missing module, the others list the modules that require it.
  console.warn(`${NAME}: the wasm backend runs on one thread: ${reason.replace(/\n.*/s, '')}.`);
}

/**
 * Registers a backend in place of the stock one. After `tf.engine().reset()`, which disposes it,
 * tfjs calls the factory again.
 */
function replaceFactory(backend: KernelBackend, rebuild: () => Promise<KernelBackend>): void {
  const {priority = 1} = engine().registryFactory.wasm ?? {};
  let ready: KernelBackend | undefined = backend;
  const factory: BackendFactory = () => {
    const next = ready ?? rebuild();
    ready = undefined;
    return next;
  };
  factory[THREADED] = true;
  removeBackend('wasm');
  registerBackend('wasm', factory, priority);
}
