import '@tensorflow/tfjs-backend-wasm';
import {findBackendFactory, registerBackend, removeBackend} from '@tensorflow/tfjs-core';

export const stockWasm = findBackendFactory('wasm');

/** Puts the stock wasm backend back, unused. Tensors on the wasm backend are lost. */
export function freshWasm(): void {
  if (findBackendFactory('wasm') !== null) removeBackend('wasm');
  registerBackend('wasm', stockWasm, 2);
}
