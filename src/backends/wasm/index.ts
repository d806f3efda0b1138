/**
 * Kernels for training that the WebAssembly backend lacks or computes slowly.
 * @module wasm
 */
export {enableWasmTraining} from './enableWasmTraining';
