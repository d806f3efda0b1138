import {Add, Multiply, Square, Step, Sub, Sum, type TensorInfo, util} from '@tensorflow/tfjs-core';
import {ACTIVATION_GRADIENT, SGD_UPDATE, SQUARE_SUM} from '../../wasmKernels';
import {ACTIVATION, RELU, SGD, SIGMOID, SQUARES, TANH} from './assembly/kinds';
import {ON_ONE_THREAD, WORD} from './jobs';
import type {Inputs, WasmKernel, Workbench} from './workbench';

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
    // The rate has one axis, and a weight may have none.
    const step = (): TensorInfo => bench.run(Multiply, {a: rate, b: gradient});
    if (!jobs) return {...bench.run(Add, {a: step(), b: weight}), shape: weight.shape};
    const result = bench.makeEmpty(weight.shape, 'float32');
    jobs.run(SGD, ON_ONE_THREAD, 0, [...bench.places(weight, gradient, rate, result), size * WORD]);
    return result;
  },
};

const ACTIVATIONS = {Relu: RELU, Tanh: TANH, Sigmoid: SIGMOID};

/** Computes the gradient of an activation in one pass. */
export const activationGradient: WasmKernel = {
  kernelName: ACTIVATION_GRADIENT,
  from: [Multiply, Square, Step, Sub],
  compute(bench, {dy, y}: Inputs<'dy' | 'y'>, {activation}: {activation: keyof typeof ACTIVATIONS}) {
    const size = sizeOf(y);
    const jobs = bench.jobsFor(size);
    if (!jobs) return bench.run(Multiply, {a: dy, b: slopeOf(bench, activation, y)});
    const result = bench.makeEmpty(dy.shape, 'float32');
    const numbers = [...bench.places(dy, y, result), size * WORD, ACTIVATIONS[activation]];
    jobs.run(ACTIVATION, ON_ONE_THREAD, 0, numbers);
    return result;
  },
};

function slopeOf(bench: Workbench, activation: keyof typeof ACTIVATIONS, y: TensorInfo): TensorInfo {
  if (activation === 'Relu') return bench.run(Step, {x: y}, {alpha: 0});
  const one = bench.make(Float32Array.of(1), [], 'float32');
  if (activation === 'Tanh') return bench.run(Sub, {a: one, b: bench.run(Square, {x: y})});
  return bench.run(Multiply, {a: y, b: bench.run(Sub, {a: one, b: y})});
}

function sizeOf({shape}: TensorInfo): number {
  return util.sizeFromShape(shape);
}
