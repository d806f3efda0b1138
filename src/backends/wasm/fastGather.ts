import {GatherNd, GatherV2, type GatherV2Attrs, type TensorInfo} from '@tensorflow/tfjs-core';
import type {Inputs, WasmKernel, Workbench} from './workbench';

/**
 * Gathers along the first axis row by row.
 *
 * The stock kernel copies number by number; `gatherNd` copies whole rows, and is far faster. Other
 * axes and batched gathers use the stock kernel.
 */
export const fastGather: WasmKernel = {
  kernelName: GatherV2,
  from: [GatherNd, GatherV2],
  compute(bench, {x, indices}: Inputs<'x' | 'indices'>, attrs: GatherV2Attrs) {
    const {axis, batchDims = 0} = attrs;
    if ((axis !== 0 && axis !== -x.shape.length) || batchDims !== 0 || x.dtype === 'string') {
      return bench.run(GatherV2, {x, indices}, attrs);
    }
    checkIndices(bench, indices, x.shape[0] as number);
    return bench.run(GatherNd, {params: x, indices: {...indices, shape: [...indices.shape, 1]}});
  },
};

/**
 * Refuses rows out of range, with the error of the stock kernel: `gatherNd` would read beyond the
 * tensor.
 */
function checkIndices(bench: Workbench, indices: TensorInfo, rows: number): void {
  const wrong = (bench.read(indices) as Int32Array).find((row) => row < 0 || row >= rows);
  if (wrong !== undefined) throw new Error(`GatherV2: the index value ${wrong} is not in [0, ${rows - 1}]`);
}
