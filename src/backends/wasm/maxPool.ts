import {
  backend_util,
  MaxPool3D,
  type MaxPool3DAttrs,
  MaxPool3DGrad,
  type MaxPool3DGradAttrs,
  MaxPoolGrad,
  type MaxPoolGradAttrs,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import {typeError} from '../../checks';
import type {Inputs, WasmKernel} from './wasmKernel';
import {imageAxes, SINGLE, volumeAxes} from './windowAxis';
import {windowMaxima} from './windowMaxima';
import type {Workbench} from './workbench';

/**
 * The gradient of max pooling: each number of dY goes to the largest number of its window, the first where several are.
 *
 * The stock kernel starts to look at 1e-38, and gives the gradient of a window with no larger number to nobody.
 */
export const maxPoolGrad: WasmKernel = {
  kernelName: MaxPoolGrad,
  from: [],
  compute(bench, {dy, input}: Inputs<'dy' | 'input'>, {filterSize, strides, pad, dimRoundingMode}: MaxPoolGradAttrs) {
    const shape = input.shape as [number, number, number, number];
    const info = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
    checkShape(MaxPoolGrad, dy, info.outShape);
    const axes = [SINGLE, ...imageAxes(info)] as const;
    const places = windowMaxima(floatsOf(bench, input), info.batchSize, axes, info.inChannels, 'first');
    return gradient(bench, dy, input, places);
  },
};

/**
 * Max pooling of volumes.
 *
 * The stock kernel gives 1e-38 for a window with no larger number.
 */
export const maxPool3D: WasmKernel = {
  kernelName: MaxPool3D,
  from: [],
  compute(bench, {x}: Inputs<'x'>, attrs: MaxPool3DAttrs) {
    const info = volumePooling(x, attrs);
    const values = floatsOf(bench, x);
    const places = windowMaxima(values, info.batchSize, volumeAxes(info), info.inChannels, 'first');
    const maxima = Float32Array.from(places, (place) => values[place] ?? Number.NEGATIVE_INFINITY);
    return bench.make(maxima, info.outShape, 'float32');
  },
};

/** The gradient of max pooling of volumes: the same as of images, but for the last where several are the largest. */
export const maxPool3DGrad: WasmKernel = {
  kernelName: MaxPool3DGrad,
  from: [],
  compute(bench, {dy, input}: Inputs<'dy' | 'input'>, attrs: MaxPool3DGradAttrs) {
    const info = volumePooling(input, attrs);
    checkShape(MaxPool3DGrad, dy, info.outShape);
    const places = windowMaxima(floatsOf(bench, input), info.batchSize, volumeAxes(info), info.inChannels, 'last');
    return gradient(bench, dy, input, places);
  },
};

function volumePooling(
  {shape}: TensorInfo,
  {filterSize, strides, pad, dimRoundingMode}: MaxPool3DGradAttrs,
): backend_util.Conv3DInfo {
  const volume = shape as [number, number, number, number, number];
  return backend_util.computePool3DInfo(volume, filterSize, strides, 1, pad, dimRoundingMode);
}

function checkShape(kernelName: string, dy: TensorInfo, shape: number[]): void {
  if (!util.arraysEqual(dy.shape, shape)) {
    throw typeError(kernelName, 'dy', `have the shape of the pooled input, [${shape.join(', ')}]`, dy.shape);
  }
}

function floatsOf(bench: Workbench, x: TensorInfo): Float32Array {
  return bench.read(x) as Float32Array;
}

/** Adds each number of dY to the one place that it goes to. */
function gradient(bench: Workbench, dy: TensorInfo, input: TensorInfo, places: Int32Array): TensorInfo {
  const given = floatsOf(bench, dy);
  const sums = new Float32Array(util.sizeFromShape(input.shape));
  for (let i = 0; i < places.length; i++) {
    const place = places[i] as number;
    if (place >= 0) sums[place] = (sums[place] as number) + (given[i] as number);
  }
  return bench.make(sums, input.shape, 'float32');
}
