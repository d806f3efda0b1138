import {Add, Multiply, Square, Sum, type TensorInfo, util} from '@tensorflow/tfjs-core';
import {SGD_UPDATE, SQUARE_SUM} from '../../wasmKernels';
import {SGD, SQUARES} from './assembly/kinds';
import {ON_ONE_THREAD, WORD} from './jobs';
import type {Inputs, WasmKernel} from './workbench';

/** Adds up the squares of all numbers: not finite if one of them is not. */
export const squareSum: WasmKernel = {
  kernelName: SQUARE_SUM,
  from: [Square, Sum],
  compute(bench, {x}: Inputs<'x'>) {
    const size = sizeOf(x);
    const jobs = bench.jobsFor(size);
    if (!jobs) {
      const squares = {...bench.run(Square, {x}), shape: [size]};
      return {...bench.run(Sum, {x: squares}, {axis: 0, keepDims: false}), shape: [1]};
    }
    const result = bench.makeEmpty([1], 'float32');
    jobs.run(SQUARES, ON_ONE_THREAD, 0, [...bench.places(x, result), size * WORD]);
    return result;
  },
};

/** Updates a weight as the SGD of tfjs does, in one pass. */
export const sgdUpdate: WasmKernel = {
  kernelName: SGD_UPDATE,
  from: [Add, Multiply],
  compute(bench, {weight, gradient, rate}: Inputs<'weight' | 'gradient' | 'rate'>) {
    const size = sizeOf(weight);
    const jobs = bench.jobsFor(size);
    if (!jobs) return bench.run(Add, {a: bench.run(Multiply, {a: rate, b: gradient}), b: weight});
    const result = bench.makeEmpty(weight.shape, 'float32');
    jobs.run(SGD, ON_ONE_THREAD, 0, [...bench.places(weight, gradient, rate, result), size * WORD]);
    return result;
  },
};

function sizeOf({shape}: TensorInfo): number {
  return util.sizeFromShape(shape);
}
