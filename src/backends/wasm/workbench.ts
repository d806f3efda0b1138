import type {
  BackendValues,
  DataId,
  DataType,
  KernelBackend,
  KernelConfig,
  NamedTensorInfoMap,
  TensorInfo,
} from '@tensorflow/tfjs-core';

/** What is used of the backend's own book-keeping. */
export type WasmBackend = KernelBackend & {
  dataIdMap: {get(dataId: DataId): {shape: number[]}};
  makeOutput(shape: number[], dtype: DataType): TensorInfo;
  typedArrayFromHeap(tensor: TensorInfo): Float32Array | Int32Array | Uint8Array;
};

/**
 * Where a kernel is put together from stock ones: runs them, and gives back the data of everything on the way.
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

  /** A tensor of numbers that were worked out here. */
  make(values: BackendValues, shape: number[], dtype: DataType): TensorInfo {
    const made = {dataId: this.#backend.write(values, shape, dtype), shape, dtype};
    this.#made.push(made);
    return made;
  }

  /** A tensor whose numbers are still to be written, by its `view`. */
  makeEmpty(shape: number[], dtype: DataType): TensorInfo {
    const made = this.#backend.makeOutput(shape, dtype);
    this.#made.push(made);
    return made;
  }

  /** The numbers of a tensor where they lie, without a copy: only until something else is made, which may move them all. */
  view(tensor: TensorInfo): Float32Array {
    return this.#backend.typedArrayFromHeap(tensor) as Float32Array;
  }

  /** A copy of the numbers of a tensor. */
  read({dataId}: TensorInfo): BackendValues {
    return this.#backend.readSync(dataId);
  }

  /** The shape that the data of a tensor was made with: reshaping leaves that as it was. */
  shapeOfData({dataId}: TensorInfo): number[] {
    return this.#backend.dataIdMap.get(dataId).shape;
  }

  /** Does a piece of the work. Of what that makes only the result stays, which it must have made; nothing if it throws. */
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

/** The tensors a kernel takes, by name. */
export type Inputs<Names extends string> = Record<Names, TensorInfo>;

/** A kernel put together from stock ones, that takes the place of a slow one or of none. */
export interface WasmKernel {
  kernelName: string;
  /** The stock kernels that it runs; its own name among them where it falls back on the one it replaces. */
  from: readonly string[];
  compute(bench: Workbench, inputs: NamedTensorInfoMap, attrs: unknown): TensorInfo;
}
