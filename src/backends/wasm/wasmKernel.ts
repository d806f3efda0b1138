import type {NamedTensorInfoMap, TensorInfo} from '@tensorflow/tfjs-core';
import type {Workbench} from './workbench';

/** The tensors a kernel takes, by name. */
export type Inputs<Names extends string> = Record<Names, TensorInfo>;

/** A kernel put together from stock ones, that takes the place of a slow one or of none. */
export interface WasmKernel {
  kernelName: string;
  /** The stock kernels that it runs; its own name among them where it falls back on the one it replaces. */
  from: readonly string[];
  compute(bench: Workbench, inputs: NamedTensorInfoMap, attrs: unknown): TensorInfo;
}
