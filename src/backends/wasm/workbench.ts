import type {
  BackendValues,
  DataId,
  DataType,
  KernelBackend,
  KernelConfig,
  NamedTensorInfoMap,
  TensorInfo,
} from '@tensorflow/tfjs-core';
import {type Jobs, type JobThreads, jobsFor} from './jobs';

/** The parts of its C++ program that are used here. */
interface WasmProgram {
  /** The exports. Without threads, only one of them is the memory. */
  asm?: Record<string, unknown>;
  wasmMemory?: unknown;
  _malloc?(bytes: number): number;
  _free?(at: number): void;
  jobThreads?: JobThreads;
}

/** The internals of the backend in use here. */
export type WasmBackend = KernelBackend & {
  dataIdMap: {get(dataId: DataId): {shape: number[]}};
  getMemoryOffset(dataId: DataId): number;
  makeOutput(shape: number[], dtype: DataType): TensorInfo;
  typedArrayFromHeap(tensor: TensorInfo): Float32Array | Int32Array | Uint8Array;
  wasm: WasmProgram;
};

/**
 * Composes a kernel of stock kernels: runs them, and releases all intermediate data.
 *
 * Reshaping is free: `{...tensor, shape}` is the same data in another shape.
 */
export class Workbench {
  #made: TensorInfo[] = [];
  readonly #backend: WasmBackend;
  readonly #kernels: ReadonlyMap<string, KernelConfig>;

  constructor(backend: WasmBackend, kernels: ReadonlyMap<string, KernelConfig>) {
    this.#backend = backend;
    this.#kernels = kernels;
  }

  /** Runs a stock kernel. */
  run(kernelName: string, inputs: NamedTensorInfoMap | TensorInfo[], attrs: object = {}): TensorInfo {
    const {kernelFunc} = this.#kernels.get(kernelName) as KernelConfig;
    const result = kernelFunc({
      inputs: inputs as NamedTensorInfoMap,
      attrs: attrs as never,
      backend: this.#backend,
    }) as TensorInfo;
    this.#made.push(result);
    return result;
  }

  /** Creates a tensor of computed numbers. */
  make(values: BackendValues, shape: number[], dtype: DataType): TensorInfo {
    const made = {dataId: this.#backend.write(values, shape, dtype), shape, dtype};
    this.#made.push(made);
    return made;
  }

  /** Creates a tensor to be filled through its view. */
  makeEmpty(shape: number[], dtype: DataType): TensorInfo {
    const made = this.#backend.makeOutput(shape, dtype);
    this.#made.push(made);
    return made;
  }

  /**
   * Returns the memory of tensors, without copies. Valid only until the next allocation, which may
   * move all memory; so data of another backend moves here first.
   */
  views(...tensors: TensorInfo[]): Float32Array[] {
    for (const {dataId} of tensors) this.#backend.dataIdMap.get(dataId);
    return tensors.map((tensor) => this.#backend.typedArrayFromHeap(tensor) as Float32Array);
  }

  /** Returns where tensors start in the memory of the backend, in bytes. They stay there. */
  places<T extends TensorInfo[]>(...tensors: T): {[K in keyof T]: number} {
    return tensors.map(({dataId}) => this.#backend.getMemoryOffset(dataId)) as {[K in keyof T]: number};
  }

  /**
   * Returns the jobs in the memory of tensors; null where stock kernels are faster, or the code
   * cannot run.
   */
  jobsFor(multiplications: number): Jobs | null {
    return jobsFor(this.#backend, multiplications);
  }

  /** Copies the numbers of a tensor. */
  read({dataId}: TensorInfo): BackendValues {
    return this.#backend.readSync(dataId);
  }

  /**
   * Returns the shape that the data of a tensor was created with, which reshaping does not change.
   */
  shapeOfData({dataId}: TensorInfo): number[] {
    return this.#backend.dataIdMap.get(dataId).shape;
  }

  /**
   * Runs part of the work, and releases everything it created except its result. The result must be
   * one of the tensors created. If it throws, all of them are released.
   */
  piece(compute: () => TensorInfo): TensorInfo {
    const before = this.#made;
    this.#made = [];
    let kept: TensorInfo | undefined;
    try {
      kept = compute();
      return kept;
    } finally {
      const last = this.#made.map(({dataId}) => dataId).lastIndexOf(kept?.dataId as object);
      for (const [i, {dataId}] of this.#made.entries()) if (i !== last) this.#backend.disposeData(dataId);
      this.#made = before;
      if (kept) before.push(kept);
    }
  }
}

/** The input tensors of a kernel, by name. */
export type Inputs<Names extends string> = Record<Names, TensorInfo>;

/** A kernel composed of stock kernels, which replaces a slow one or adds a missing one. */
export interface WasmKernel {
  kernelName: string;
  /**
   * The stock kernels that it runs, including its own name if it falls back on the kernel it
   * replaces.
   */
  from: readonly string[];
  /** Whether it applies. Otherwise the kernel that it replaces runs. Omit if it always does. */
  isFor?(inputs: NamedTensorInfoMap): boolean;
  compute(bench: Workbench, inputs: NamedTensorInfoMap, attrs: unknown): TensorInfo;
}
