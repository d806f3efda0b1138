import {
  BatchMatMul,
  Cast,
  Conv2D,
  Conv2DBackpropFilter,
  type Conv2DBackpropFilterAttrs,
  Conv2DBackpropInput,
  type Conv2DBackpropInputAttrs,
  Fill,
  GatherNd,
  PadV2,
  Reverse,
  ScatterNd,
  Slice,
  type TensorInfo,
  Transpose,
} from '@tensorflow/tfjs-core';
import {addRows} from './addRows';
import {
  type Convolution,
  checkConvolution,
  convolution,
  convolutionOf,
  marginsOfGradient,
  marginsRead,
  multiplicationsOf,
  pixelsUsed,
  readsNoPixel,
} from './convolution';
import {filterGradient, inputGradient} from './convolutionProducts';
import {asFloat, isEmpty, zeros} from './floats';
import {cropped, zerosOf} from './margins';
import {sliceAt} from './slices';
import type {Inputs, WasmKernel, Workbench} from './workbench';

/**
 * Computes the gradient of a convolution with respect to its filter.
 *
 *     dW[r, s, i, o] = Σ_{n, y, x} X[n, y·stride + r, x·stride + s, i] · dY[n, y, x, o]
 *
 * Pixel by pixel, or where that code cannot run, as a convolution by XNNPACK.
 */
export const conv2DBackpropFilter: WasmKernel = {
  kernelName: Conv2DBackpropFilter,
  from: [Cast, Conv2D, Fill, GatherNd, PadV2, Transpose],
  compute(bench, {x, dy}: Inputs<'x' | 'dy'>, attrs: Conv2DBackpropFilterAttrs) {
    const {filterShape, dataFormat} = attrs;
    const shapes = convolution(Conv2DBackpropFilter, x.shape, filterShape, dy, attrs);
    const nothing = isEmpty(x) || isEmpty(dy) || filterShape.includes(0);
    if (nothing || readsNoPixel(shapes)) return zeros(bench, filterShape);
    const images = channelsLast(bench, asFloat(bench, x), dataFormat);
    const gradient = channelsLast(bench, asFloat(bench, dy), dataFormat);
    const jobs = bench.jobsFor(multiplicationsOf(shapes));
    if (jobs) return filterGradient(bench, jobs, images, gradient, shapes);
    return convolvedGradient(bench, images, gradient, shapes);
  },
};

/**
 * Computes the gradient of the filter as a convolution of X, with batch and channels swapped, with
 * dY as the filter, dilated by the strides.
 */
function convolvedGradient(bench: Workbench, x: TensorInfo, dy: TensorInfo, shapes: Convolution): TensorInfo {
  const margins = marginsRead(shapes);
  const images = cropped(bench, x, margins);
  const sums = bench.run(
    Conv2D,
    {
      x: bench.piece(() => channelsFirstBatchLast(bench, images)),
      filter: bench.run(Transpose, {x: dy}, {perm: [1, 2, 0, 3]}),
    },
    {
      strides: 1,
      dilations: [shapes.strideHeight, shapes.strideWidth],
      pad: zerosOf(margins),
      dataFormat: 'NHWC',
    },
  );
  return bench.run(Transpose, {x: sums}, {perm: [1, 2, 0, 3]});
}

/**
 * Transposes float32[N, H, W, C] → float32[C, H, W, N] in two steps. Each copies whole rows, which
 * together takes half the time of one step.
 */
function channelsFirstBatchLast(bench: Workbench, images: TensorInfo): TensorInfo {
  const [batchSize, height, width, channels] = images.shape as [number, number, number, number];
  const pixels = height * width;
  const flat = bench.run(Transpose, {x: {...images, shape: [batchSize, pixels * channels]}}, {perm: [1, 0]});
  const turned = bench.run(Transpose, {x: {...flat, shape: [pixels, channels, batchSize]}}, {perm: [1, 0, 2]});
  return {...turned, shape: [channels, height, width, batchSize]};
}

/**
 * Computes the gradient of a convolution with respect to its input: a transposed convolution.
 *
 *     strides of 1:  line by line; where that code cannot run, as a convolution of dY with the
 *                    flipped filter, its channels in and out swapped
 *     otherwise:     dY · Wᵀ, added to the pixels that each pixel of dY was computed from
 *
 * The stock kernel is a plain loop, far slower.
 */
export const conv2DBackpropInput: WasmKernel = {
  kernelName: Conv2DBackpropInput,
  from: [BatchMatMul, Cast, Conv2D, Fill, GatherNd, Reverse, ScatterNd, Slice, Transpose],
  compute(bench, {dy, filter}: Inputs<'dy' | 'filter'>, attrs: Conv2DBackpropInputAttrs) {
    const {inputShape, dataFormat} = attrs;
    const shapes = convolutionOf(inputShape, filter.shape, attrs);
    const used = pixelsUsed(bench, dy, shapes);
    checkConvolution(Conv2DBackpropInput, filter.shape.slice(2), used, shapes);
    if (isEmpty(used) || isEmpty(filter) || inputShape.includes(0)) return zeros(bench, inputShape);
    const images = channelsLast(bench, asFloat(bench, used), dataFormat);
    const compute = isConvolution(shapes) ? convolved : scattered;
    const result = compute(bench, images, asFloat(bench, filter), shapes);
    return dataFormat === 'NCHW' ? bench.run(Transpose, {x: result}, {perm: [0, 3, 1, 2]}) : result;
  },
};

/** Whether the pixels of dY are adjacent, and all of them are read. */
function isConvolution(shapes: Convolution): boolean {
  const {strideHeight, strideWidth} = shapes;
  return strideHeight === 1 && strideWidth === 1 && Math.min(...marginsOfGradient(shapes).flat()) >= 0;
}

function convolved(bench: Workbench, dy: TensorInfo, filter: TensorInfo, shapes: Convolution): TensorInfo {
  const jobs = bench.jobsFor(multiplicationsOf(shapes));
  if (jobs) return inputGradient(bench, jobs, dy, filter, shapes);
  const turned = bench.run(Reverse, {x: filter}, {dims: [0, 1]});
  const swapped = bench.run(Transpose, {x: turned}, {perm: [0, 1, 3, 2]});
  const pad = zerosOf(marginsOfGradient(shapes));
  return bench.run(Conv2D, {x: dy, filter: swapped}, {strides: 1, dilations: 1, pad, dataFormat: 'NHWC'});
}

function scattered(bench: Workbench, dy: TensorInfo, filter: TensorInfo, shapes: Convolution): TensorInfo {
  const {batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels} = shapes;
  const rows = batchSize * outHeight * outWidth;
  const positions = shapes.filterHeight * shapes.filterWidth;
  const outFirst = bench.run(Transpose, {x: filter}, {perm: [3, 0, 1, 2]});
  const weights = sliceAt(bench, outFirst, [1, outChannels, positions * inChannels], 0);
  const addends = bench.run(
    BatchMatMul,
    {a: {...dy, shape: [1, rows, outChannels]}, b: weights},
    {transposeA: false, transposeB: false},
  );
  const pixels = {...addends, shape: [rows * positions, inChannels]};
  const sums = addRows(bench, pixels, targets(shapes), batchSize * inHeight * inWidth);
  return {...sums, shape: [batchSize, inHeight, inWidth, inChannels]};
}

/**
 * Returns for each pixel of dY and each kernel position the number of the pixel read there, or −1
 * for padding.
 */
function targets({axes: [rows, columns], batchSize}: Convolution): Int32Array {
  const result = new Int32Array(batchSize * rows.output * columns.output * rows.kernel * columns.kernel);
  let next = 0;
  for (let image = 0; image < batchSize; image++) {
    for (let outRow = 0; outRow < rows.output; outRow++) {
      for (let outColumn = 0; outColumn < columns.output; outColumn++) {
        for (let r = 0; r < rows.kernel; r++) {
          const row = outRow * rows.stride + r - rows.before;
          const isRow = row >= 0 && row < rows.input;
          for (let c = 0; c < columns.kernel; c++) {
            const column = outColumn * columns.stride + c - columns.before;
            const isPixel = isRow && column >= 0 && column < columns.input;
            result[next++] = isPixel ? (image * rows.input + row) * columns.input + column : -1;
          }
        }
      }
    }
  }
  return result;
}

function channelsLast(bench: Workbench, x: TensorInfo, dataFormat: 'NHWC' | 'NCHW'): TensorInfo {
  return dataFormat === 'NCHW' ? bench.run(Transpose, {x}, {perm: [0, 2, 3, 1]}) : x;
}
