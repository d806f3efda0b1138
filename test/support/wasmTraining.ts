import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterAll, beforeAll} from 'vitest';

/**
 * Runs the tests around it with our kernels where the backend is wasm, and leaves those of tfjs.
 */
export function trainsOn(backend: string): void {
  if (backend !== 'wasm') return;
  beforeAll(() => void enableWasmTraining());
  afterAll(() => enableWasmTraining()());
}
