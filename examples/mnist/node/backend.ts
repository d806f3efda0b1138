import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {enableProdMode, setBackend} from '@tensorflow/tfjs-core';
import {enableWasmThreads} from 'ohem-tfjs/node';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import type {Settings} from '../experiment/results';
import {FailedError} from './errors';

/**
 * Gets a backend ready for training.
 *
 * @param threads  threads of the wasm backend.
 * @returns the number of threads that run.
 * @throws FailedError if it cannot be had.
 */
export async function useBackend(name: Settings['backend'], threads = 1): Promise<number> {
  // Without it tfjs greets everybody who runs it in Node.
  enableProdMode();
  const running = name === 'wasm' && threads > 1 ? await enableWasmThreads(threads) : 1;
  if (name === 'wasm') enableWasmTraining();
  if (!(await setBackend(name))) {
    throw new FailedError(`mnist: --backend must be one that starts here, got ${name}.`);
  }
  return running;
}
