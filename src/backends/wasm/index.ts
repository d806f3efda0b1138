/**
 * What the WebAssembly backend lacks, or does slowly, for training.
 * @module wasm
 */
export {enableWasmTraining} from './enableWasmTraining';
