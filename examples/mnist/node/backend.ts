import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {enableProdMode, setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import type {Settings} from '../experiment/results';
import {FailedError} from './errors';

/**
 * Gets a backend ready for training.
 *
 * @throws FailedError if it cannot be had.
 */
export async function useBackend(name: Settings['backend']): Promise<void> {
  // Without it tfjs greets everybody who runs it in Node.
  enableProdMode();
  if (name === 'wasm') enableWasmTraining();
  if (!(await setBackend(name))) {
    throw new FailedError(`mnist: --backend must be one that starts here, got ${name}.`);
  }
}
