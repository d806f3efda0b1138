import '@tensorflow/tfjs-backend-wasm';
import {enableProdMode, setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';

/** Gets the wasm backend ready, in each process and thread that trains. */
export async function useWasm(): Promise<void> {
  // Without it tfjs greets everybody who runs it in Node.
  enableProdMode();
  enableWasmTraining();
  await setBackend('wasm');
}
