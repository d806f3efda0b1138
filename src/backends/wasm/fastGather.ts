import {GatherNd, GatherV2, type GatherV2Attrs, type TensorInfo} from '@tensorflow/tfjs-core';
import type {KernelOverride} from './kernelOverride';

/**
 * Gathers along the first axis row by row.
 *
 * The stock kernel copies number by number: 9 ms for 512 rows of 784, where `gatherNd`, which copies whole rows, takes 0.1. Other
 * axes and batched gathers stay with the stock kernel.
 */
export const fastGather: KernelOverride = {
  kernelName: GatherV2,
  override: ({kernelFunc: gather}, kernelNamed) => {
    const {kernelFunc: gatherNd} = kernelNamed(GatherNd);
    return (params) => {
      const {x, indices} = params.inputs as {x: TensorInfo; indices: TensorInfo};
      const {axis, batchDims = 0} = params.attrs as unknown as GatherV2Attrs;
      if ((axis !== 0 && axis !== -x.shape.length) || batchDims !== 0 || x.dtype === 'string') return gather(params);
      checkIndices(params.backend, indices, x.shape[0] as number);
      const column = {...indices, shape: [...indices.shape, 1]};
      return gatherNd({...params, inputs: {params: x, indices: column}, attrs: {}});
    };
  },
};

/** Refuses rows that are not there, in the words of the stock kernel: `gatherNd` would read beyond the tensor. */
function checkIndices(backend: unknown, indices: TensorInfo, rows: number): void {
  const values = (backend as {readSync(id: object): Int32Array}).readSync(indices.dataId);
  const wrong = values.find((row) => row < 0 || row >= rows);
  if (wrong !== undefined) throw new Error(`GatherV2: the index value ${wrong} is not in [0, ${rows - 1}]`);
}
