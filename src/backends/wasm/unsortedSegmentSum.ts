import {
  Cast,
  Fill,
  ScatterNd,
  Slice,
  UnsortedSegmentSum,
  type UnsortedSegmentSumAttrs,
  util,
} from '@tensorflow/tfjs-core';
import {checkCount, typeError} from '../../checks';
import {addRows} from './addRows';
import {asFloat, isEmpty, zeros} from './floats';
import type {Inputs, WasmKernel} from './workbench';

/**
 * Adds up the rows of each segment: the gradient of a gather, and so of an embedding.
 *
 *     result[s] = Σ x[i] over the i with segmentIds[i] = s,    0 ≤ s < numSegments
 *
 * Rows of any other segment are left out, as on the cpu backend.
 */
export const unsortedSegmentSum: WasmKernel = {
  kernelName: UnsortedSegmentSum,
  from: [Cast, Fill, ScatterNd, Slice],
  compute(bench, {x, segmentIds}: Inputs<'x' | 'segmentIds'>, {numSegments}: UnsortedSegmentSumAttrs) {
    checkCount(UnsortedSegmentSum, 'numSegments', numSegments);
    const [count, ...row] = x.shape as [number, ...number[]];
    if (segmentIds.shape.length !== 1 || segmentIds.shape[0] !== count) {
      const constraint = `have shape [${count}], one segment for each row`;
      throw typeError(UnsortedSegmentSum, 'segmentIds', constraint, segmentIds.shape);
    }
    const shape = [numSegments, ...row];
    if (isEmpty(x)) return zeros(bench, shape);
    const rows = {...asFloat(bench, x), shape: [count, util.sizeFromShape(row)]};
    return {...addRows(bench, rows, bench.read(segmentIds) as Int32Array, numSegments), shape};
  },
};
