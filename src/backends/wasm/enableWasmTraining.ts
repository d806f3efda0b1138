import {getKernel, type KernelConfig, registerKernel, unregisterKernel} from '@tensorflow/tfjs-core';
import {typeError} from '../../checks';
import {conv2DBackpropFilter, conv2DBackpropInput} from './conv2DGradients';
import {conv3DBackpropFilter, conv3DBackpropInput} from './conv3DGradients';
import {depthwiseBackpropFilter, depthwiseBackpropInput} from './depthwiseGradients';
import {fastAdd} from './fastAdd';
import {fastGather} from './fastGather';
import {fastFusedMatMul, fastMatMul} from './fastMatMul';
import {identity} from './identity';
import {maxPool3D, maxPool3DGrad, maxPoolGrad} from './maxPool';
import {activationGradient, sgdUpdate, squareSum} from './stepKernels';
import {unsortedSegmentSum} from './unsortedSegmentSum';
import {type WasmBackend, type WasmKernel, Workbench} from './workbench';

const KERNELS: readonly WasmKernel[] = [
  ...[conv2DBackpropFilter, conv2DBackpropInput, conv3DBackpropFilter, conv3DBackpropInput],
  ...[depthwiseBackpropFilter, depthwiseBackpropInput, maxPool3D, maxPool3DGrad, maxPoolGrad],
  ...[fastAdd, fastFusedMatMul, fastGather, fastMatMul, identity, unsortedSegmentSum],
  ...[activationGradient, sgdUpdate, squareSum],
];

/** Marks our kernels in the registry, which all copies of this module share. */
const STOCK = Symbol.for('ohem-tfjs/stock kernel');

/** A kernel of ours with the stock kernel that it replaced, or null if there was none. */
type Marked = KernelConfig & {[STOCK]?: KernelConfig | null};

/**
 * Registers the kernels that the WebAssembly backend needs to train, and to train fast.
 *
 *     missing → added:    filter gradients of convolutions, both gradients of depthwise ones,
 *                         segment sums (embeddings)
 *     slow → fast:        all products, above all transposed and batched ones, input gradients of
 *                         convolutions, row gathers, biases
 *     wrong → right:      gradients of max pooling and of volume convolutions, batched products
 *                         with a bias
 *
 * Call it once, after importing `@tensorflow/tfjs-backend-wasm`, before or after the backend is
 * ready. Any backend may be in use. Calling it again changes nothing. Dense networks train many
 * times faster, and convolutional networks become trainable.
 *
 * @returns a function that restores the stock kernels, and removes those that were missing.
 * @throws TypeError if the wasm backend has not been imported; nothing has changed then.
 *
 * @example
 * import '@tensorflow/tfjs-backend-wasm';
 * import {enableWasmTraining} from 'ohem-tfjs/wasm';
 *
 * await tf.setBackend('wasm');
 * const restoreKernels = enableWasmTraining();
 */
export function enableWasmTraining(): () => void {
  // Build all before registering the first: if a stock kernel is missing, nothing changes.
  for (const kernel of KERNELS.filter(({kernelName}) => !isOurs(registered(kernelName))).map(built)) replace(kernel);
  return disableWasmTraining;
}

function disableWasmTraining(): void {
  for (const {kernelName} of KERNELS) {
    const kernel = registered(kernelName);
    if (!isOurs(kernel)) continue;
    unregisterKernel(kernelName, 'wasm');
    if (kernel[STOCK]) registerKernel(kernel[STOCK]);
  }
}

function registered(kernelName: string): Marked | undefined {
  return getKernel(kernelName, 'wasm');
}

function isOurs(kernel: Marked | undefined): kernel is KernelConfig & {[STOCK]: KernelConfig | null} {
  return kernel !== undefined && STOCK in kernel;
}

function built({kernelName, from, isFor, compute}: WasmKernel): Marked {
  const stock = registered(kernelName) ?? null;
  const kernels = new Map(from.map((name) => [name, stockKernel(name)]));
  return {
    ...stock,
    kernelName,
    backendName: 'wasm',
    kernelFunc: (call) => {
      const {inputs, attrs, backend} = call;
      if (stock && isFor?.(inputs) === false) return stock.kernelFunc(call);
      const bench = new Workbench(backend as WasmBackend, kernels);
      return bench.piece(() => compute(bench, inputs, attrs));
    },
    [STOCK]: stock,
  };
}

/** Unregisters the old kernel first: tfjs warns when one is registered over another. */
function replace(kernel: KernelConfig): void {
  if (registered(kernel.kernelName)) unregisterKernel(kernel.kernelName, 'wasm');
  registerKernel(kernel);
}

function stockKernel(name: string): KernelConfig {
  const kernel = registered(name);
  const stock = isOurs(kernel) ? kernel[STOCK] : kernel;
  if (stock) return stock;
  const remedy = "Add import '@tensorflow/tfjs-backend-wasm', or its script after that of tfjs.";
  throw typeError(
    'enableWasmTraining',
    'the wasm backend',
    'be imported first',
    `none with the kernel ${name}`,
    remedy,
  );
}
