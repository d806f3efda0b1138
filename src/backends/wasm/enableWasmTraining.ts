import {getKernel, type KernelConfig, registerKernel, unregisterKernel} from '@tensorflow/tfjs-core';
import {typeError} from '../../checks';
import {fastGather} from './fastGather';
import {fastMatMul} from './fastMatMul';
import type {KernelOverride} from './kernelOverride';

const OVERRIDES: readonly KernelOverride[] = [fastMatMul, fastGather];
/** Marks our kernels in the registry, which all copies of this module share. */
const STOCK = Symbol.for('ohem-tfjs/stock kernel');

type Marked = KernelConfig & {[STOCK]?: KernelConfig};

/**
 * Registers the kernels with which the WebAssembly backend trains at speed.
 *
 *     aᵀ · b, a · bᵀ → transpose first, then multiply;    gather of rows → whole rows at a time
 *
 * Call it once, after importing `@tensorflow/tfjs-backend-wasm`, before or after the backend is ready. Calling it again changes
 * nothing. Models, gradients and results stay the same; only the time changes: a step of a 784-1024-10 network at batch 512 takes
 * about a fifteenth.
 *
 * @returns a function that puts the stock kernels back.
 * @throws TypeError if the wasm backend has not been imported.
 *
 * @example
 * import '@tensorflow/tfjs-backend-wasm';
 * import {enableWasmTraining} from 'ohem-tfjs/wasm';
 *
 * await tf.setBackend('wasm');
 * const restoreKernels = enableWasmTraining();
 */
export function enableWasmTraining(): () => void {
  for (const {kernelName, override} of OVERRIDES) {
    const stock: Marked = kernelNamed(kernelName);
    if (stock[STOCK]) continue;
    const replacement: Marked = {...stock, kernelFunc: override(stock, kernelNamed), [STOCK]: stock};
    replace(replacement);
  }
  return disableWasmTraining;
}

function disableWasmTraining(): void {
  for (const {kernelName} of OVERRIDES) {
    const stock = (getKernel(kernelName, 'wasm') as Marked | undefined)?.[STOCK];
    if (stock) replace(stock);
  }
}

/** Takes the old kernel out first: tfjs warns about one that is registered over another. */
function replace(kernel: KernelConfig): void {
  unregisterKernel(kernel.kernelName, 'wasm');
  registerKernel(kernel);
}

function kernelNamed(name: string): KernelConfig {
  const kernel = getKernel(name, 'wasm');
  if (!kernel) {
    const remedy = "Add import '@tensorflow/tfjs-backend-wasm'.";
    throw typeError('enableWasmTraining', 'the wasm backend', 'be imported first', `no kernel ${name} of it`, remedy);
  }
  return kernel;
}
