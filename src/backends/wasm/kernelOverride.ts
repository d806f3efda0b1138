import type {KernelConfig, KernelFunc} from '@tensorflow/tfjs-core';

/** A kernel that takes the place of a stock one, and falls back on it. */
export interface KernelOverride {
  kernelName: string;
  /** Builds the new kernel from the one that it replaces, and others that it is put together from. */
  override(stock: KernelConfig, kernelNamed: (name: string) => KernelConfig): KernelFunc;
}
