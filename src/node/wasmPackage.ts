import {createRequire} from 'node:module';
import {join} from 'node:path';
import type {KernelBackend} from '@tensorflow/tfjs-core';

/** The parts of `@tensorflow/tfjs-backend-wasm` that threads need. */
export interface WasmPackage {
  BackendWasm: new (program: object) => KernelBackend;
  setThreadsCount(threads: number): void;
  getThreadsCount(): number;
  /** Path of the JavaScript part of the threaded program. */
  program: string;
  /** Path of its WebAssembly part. */
  binary: string;
  /** The script of a worker. */
  workerScript: string;
}

const ENTRY = /[\\/]@tensorflow[\\/]tfjs-backend-wasm[\\/]dist[\\/]tf-backend-wasm[\w.]*\.js$/;

/**
 * Finds the loaded copy of the package. Resolving it by name could load a second copy, which would
 * replace the kernels of the first.
 *
 * @throws Error with the reason if it is not loaded in this process, or some of its files are
 *   missing.
 */
export function loadedWasmPackage(): WasmPackage {
  // All `require` functions share one cache, whatever path they are created for.
  const {cache} = createRequire(process.execPath);
  const [entry, loaded] = Object.entries(cache).find(([path]) => ENTRY.test(path)) ?? [];
  if (!entry || !loaded) throw new Error('@tensorflow/tfjs-backend-wasm is not loaded from its own files');
  const require = createRequire(entry);
  const file = (end: string) => require.resolve(join('..', 'wasm-out', `tfjs-backend-wasm-threaded-simd.${end}`));
  const [program, binary] = [file('js'), file('wasm')];
  const {wasmWorkerContents} = require(file('worker.js')) as {wasmWorkerContents: string};
  // The package lost a backslash: its script has line breaks inside string literals.
  return {...loaded.exports, program, binary, workerScript: wasmWorkerContents.replaceAll('\n', '\\n')};
}
