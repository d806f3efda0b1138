/** @file Kernels of this library for cpu and wasm: loops of the host over main memory. */

import {
  getKernel,
  type KernelBackend,
  type KernelConfig,
  type KernelFunc,
  type Tensor,
  type TensorInfo,
  type TypedArray,
} from '@tensorflow/tfjs-core';
import {livesInMainMemory} from './checks';
import {backendInUse, isOffTape, runOwnKernel} from './engine';

/** The inputs of a kernel, and what it can do beside arithmetic. */
export interface Host {
  /** Returns the numbers of an input. They are valid until `apply` is called. */
  read(input: string): TypedArray;
  /**
   * Adds as the kernels of the backend do: in float64 on cpu, in float32 on wasm. The kernels of
   * both round all other results to float32.
   */
  add(total: number, term: number): number;
  /** Runs a kernel of the backend on numbers of the host. */
  apply(kernel: 'Exp' | 'Log', numbers: Float32Array): Float32Array;
}

/** A kernel for both backends. */
export interface HostKernel {
  inputs: readonly string[];
  cpu: KernelConfig;
  wasm: KernelConfig;
}

/** A backend in main memory; only wasm has a heap. */
type MemoryBackend = KernelBackend & {
  dataIdMap?: {get(dataId: object): unknown};
  typedArrayFromHeap?(info: TensorInfo): TypedArray;
};

/**
 * Builds a kernel that does the work of several: a kernel of tfjs takes as long to start as the
 * host to loop over hundreds of numbers.
 *
 * @param compute  returns the numbers of the output, for the last axis of its first input.
 */
export function hostKernel(
  name: string,
  inputs: readonly string[],
  compute: (host: Host, width: number) => Float32Array,
): HostKernel {
  const kernelOn = (backendName: 'cpu' | 'wasm'): KernelConfig => ({
    kernelName: name,
    backendName,
    kernelFunc: (call) => {
      const given = call.inputs as Record<string, TensorInfo>;
      const backend = call.backend as MemoryBackend;
      const {shape} = call.attrs as unknown as {shape: number[]};
      // On wasm, data of another backend moves here now: later, that could move what was read.
      for (const input of inputs) backend.dataIdMap?.get((given[input] as TensorInfo).dataId);
      const width = given[inputs[0] as string]?.shape.at(-1) ?? 1;
      const values = compute(hostOf(backend, backendName, given), width);
      return {dataId: backend.write(values, shape, 'float32'), shape, dtype: 'float32'};
    },
  });
  return {inputs, cpu: kernelOn('cpu'), wasm: kernelOn('wasm')};
}

function hostOf(backend: MemoryBackend, backendName: string, given: Record<string, TensorInfo>): Host {
  const numbersOf = (info: TensorInfo) =>
    (backend.typedArrayFromHeap?.(info) ?? backend.readSync(info.dataId)) as TypedArray;
  return {
    read: (input) => numbersOf(given[input] as TensorInfo),
    add: backendName === 'wasm' ? (total, term) => Math.fround(total + term) : (total, term) => total + term,
    apply(kernel, numbers) {
      const shape = [numbers.length];
      const x = {dataId: backend.write(numbers, shape, 'float32'), shape, dtype: 'float32' as const};
      const run = getKernel(kernel, backendName)?.kernelFunc as KernelFunc;
      const output = run({inputs: {x}, backend, attrs: {}}) as TensorInfo;
      const values = Float32Array.from(numbersOf(output));
      for (const {dataId} of [x, output]) backend.disposeData(dataId);
      return values;
    },
  };
}

/** Size of tensors up to which the host is done before several kernels of wasm have started. */
const MOST_ON_WASM = 1024;

/**
 * Whether a kernel of the host is to run on some tensors: on wasm if they are small, on cpu always,
 * where the stock kernels compute the place of each number. Not on a tape: it has no gradient.
 */
export function isForHostKernel(...tensors: readonly Tensor[]): boolean {
  if (!livesInMainMemory() || !isOffTape()) return false;
  const most = backendInUse().name === 'wasm' ? MOST_ON_WASM : Number.POSITIVE_INFINITY;
  return tensors.every(({size}) => size > 0 && size <= most);
}

/** Runs a kernel on inputs in its order. */
export function runHostKernel<T extends Tensor>(
  kernel: HostKernel,
  given: readonly Tensor[],
  shape: readonly number[],
): T {
  const config = kernel[backendInUse().name as 'cpu' | 'wasm'];
  const named = Object.fromEntries(kernel.inputs.map((input, i) => [input, given[i] as Tensor]));
  return runOwnKernel(config, named, {shape: [...shape]}) as T;
}
