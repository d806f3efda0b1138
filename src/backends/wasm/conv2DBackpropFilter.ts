import {
  Cast,
  Conv2D,
  Conv2DBackpropFilter,
  type Conv2DBackpropFilterAttrs,
  Fill,
  GatherNd,
  type TensorInfo,
  Transpose,
} from '@tensorflow/tfjs-core';
import {convolution, marginsRead, readsNoPixel} from './convolution';
import {asFloat, isEmpty, zeros} from './floats';
import {cropped, zerosOf} from './margins';
import type {Inputs, WasmKernel} from './wasmKernel';
import type {Workbench} from './workbench';

/**
 * The gradient of a convolution with respect to its filter, as a convolution.
 *
 *     dW[r, s, i, o] = Σ_{n, y, x} X[n, y·stride + r, x·stride + s, i] · dY[n, y, x, o]
 *
 * which reads as: X with the batch for channels and the channels for a batch, under the filter dY, dilated by the strides. So
 * XNNPACK does all of it at once: 46 ms for 64 images of 28 × 28 with 32 channels in and out. One product for each kernel
 * position takes as long; one over unrolled images as long too, and nine times the memory.
 */
export const conv2DBackpropFilter: WasmKernel = {
  kernelName: Conv2DBackpropFilter,
  from: [Cast, Conv2D, Fill, GatherNd, Transpose],
  compute(bench, {x, dy}: Inputs<'x' | 'dy'>, attrs: Conv2DBackpropFilterAttrs) {
    const {filterShape, dataFormat} = attrs;
    const shapes = convolution(Conv2DBackpropFilter, x.shape, filterShape, dy, attrs);
    if (isEmpty(x) || isEmpty(dy) || readsNoPixel(shapes)) return zeros(bench, filterShape);
    const margins = marginsRead(shapes);
    const images = cropped(bench, channelsLast(bench, asFloat(bench, x), dataFormat), margins);
    const gradient = channelsLast(bench, asFloat(bench, dy), dataFormat);
    const sums = bench.run(
      Conv2D,
      {
        x: bench.piece(() => channelsFirstBatchLast(bench, images)),
        filter: bench.run(Transpose, {x: gradient}, {perm: [1, 2, 0, 3]}),
      },
      {
        strides: 1,
        dilations: [shapes.strideHeight, shapes.strideWidth],
        pad: zerosOf(margins),
        dataFormat: 'NHWC',
      },
    );
    return bench.run(Transpose, {x: sums}, {perm: [1, 2, 0, 3]});
  },
};

function channelsLast(bench: Workbench, x: TensorInfo, dataFormat: 'NHWC' | 'NCHW'): TensorInfo {
  return dataFormat === 'NCHW' ? bench.run(Transpose, {x}, {perm: [0, 2, 3, 1]}) : x;
}

/** float32[N, H, W, C] → float32[C, H, W, N], in two steps: each copies along whole rows, and both take half the time of one. */
function channelsFirstBatchLast(bench: Workbench, images: TensorInfo): TensorInfo {
  const [batchSize, height, width, channels] = images.shape as [number, number, number, number];
  const pixels = height * width;
  const flat = bench.run(Transpose, {x: {...images, shape: [batchSize, pixels * channels]}}, {perm: [1, 0]});
  const turned = bench.run(Transpose, {x: {...flat, shape: [pixels, channels, batchSize]}}, {perm: [1, 0, 2]});
  return {...turned, shape: [channels, height, width, batchSize]};
}
