/** @file Backends with a fault in one kernel: cpu in everything else. */
import {MathBackendCPU} from '@tensorflow/tfjs-backend-cpu';
import {
  copyRegisteredKernels,
  getKernel,
  getKernelsForBackend,
  type KernelFunc,
  registerBackend,
  registerKernel,
  removeBackend,
  unregisterKernel,
} from '@tensorflow/tfjs-core';

/** Registers a backend that is cpu but for one kernel; returns a function that removes it. */
export function plantBackend(
  name: string,
  {kernel, by}: {kernel: string; by: (stock: KernelFunc) => KernelFunc},
): () => void {
  registerBackend(name, () => new MathBackendCPU(), 0);
  copyRegisteredKernels('cpu', name);
  const stock = getKernel(kernel, name).kernelFunc;
  unregisterKernel(kernel, name);
  registerKernel({kernelName: kernel, backendName: name, kernelFunc: by(stock)});
  return () => {
    for (const {kernelName} of getKernelsForBackend(name)) unregisterKernel(kernelName, name);
    removeBackend(name);
  };
}

interface Outputs {
  dataId: object;
}

/** Changes every value that a kernel computes. */
export function changed(change: (value: number) => number) {
  return (stock: KernelFunc): KernelFunc =>
    (given) => {
      const output = stock(given) as unknown as Outputs;
      const {values} = (given.backend as MathBackendCPU).data.get(output.dataId);
      const numbers = values as Float32Array;
      numbers.forEach((value, i) => {
        numbers[i] = change(value);
      });
      return output as ReturnType<KernelFunc>;
    };
}
