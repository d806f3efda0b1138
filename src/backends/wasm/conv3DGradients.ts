/** @file Gradients of convolutions of volumes, composed of those of their frames. */

import {
  backend_util,
  Concat,
  Conv3DBackpropFilterV2,
  type Conv3DBackpropFilterV2Attrs,
  Conv3DBackpropInputV2,
  type Conv3DBackpropInputV2Attrs,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import {addRows} from './addRows';
import {conv2DBackpropFilter, conv2DBackpropInput} from './conv2DGradients';
import {type ConvolutionAttrs, checkConvolution, pixelsUsed} from './convolution';
import {isEmpty, zeros} from './floats';
import {sliceAt, slices} from './slices';
import {volumeAxes, type WindowAxis} from './windowAxis';
import type {Inputs, WasmKernel, Workbench} from './workbench';

type Shape5D = [number, number, number, number, number];

/**
 * Computes the gradient of a volume convolution with respect to its filter, frame by frame.
 *
 *     dW[q] = filter gradient of the frames of X that filter frame q read,
 *             and the frames of dY that it produced
 *
 * The stock kernel leaves out the last pixels if strides do not divide the volume.
 */
export const conv3DBackpropFilter: WasmKernel = {
  kernelName: Conv3DBackpropFilterV2,
  from: [...conv2DBackpropFilter.from, Concat],
  compute(bench, {x, dy}: Inputs<'x' | 'dy'>, attrs: Conv3DBackpropFilterV2Attrs) {
    const {filterShape} = attrs;
    const {info, frames} = volumeConvolution(x.shape, filterShape, attrs);
    checkConvolution(Conv3DBackpropFilterV2, filterShape.slice(3), dy, info);
    const frameShape = filterShape.slice(1);
    const gradients = Array.from({length: frames.kernel}, (_, q) =>
      bench.piece(() => {
        const {read, given} = framePairs(info.batchSize, frames, q);
        if (read.length === 0) return zeros(bench, frameShape);
        const inputs = {x: framesAt(bench, x, read), dy: framesAt(bench, dy, given)};
        return conv2DBackpropFilter.compute(bench, inputs, {...imageAttrs(info), filterShape: frameShape});
      }),
    );
    return {...bench.run(Concat, gradients, {axis: 0}), shape: filterShape};
  },
};

/**
 * Computes the gradient of a volume convolution with respect to its input. It adds up one image
 * gradient per filter frame, since several filter frames may read the same frame.
 *
 * The stock kernel reads beyond the end of its tensors.
 */
export const conv3DBackpropInput: WasmKernel = {
  kernelName: Conv3DBackpropInputV2,
  from: [...conv2DBackpropInput.from, Concat],
  compute(bench, {dy, filter}: Inputs<'dy' | 'filter'>, attrs: Conv3DBackpropInputV2Attrs) {
    const {inputShape} = attrs;
    const {info, frames} = volumeConvolution(inputShape, filter.shape, attrs);
    const given = pixelsUsed(bench, dy, info);
    checkConvolution(Conv3DBackpropInputV2, filter.shape.slice(3), given, info);
    const [batchSize, depth, ...frameShape] = inputShape;
    const pairs = Array.from({length: frames.kernel}, (_, q) => ({q, ...framePairs(batchSize, frames, q)}));
    const used = pairs.filter(({read}) => read.length > 0);
    if (used.length === 0 || isEmpty(filter)) return zeros(bench, inputShape);
    const addends = used.map(({q, read, given: results}) =>
      bench.piece(() => {
        const inputs = {dy: framesAt(bench, given, results), filter: sliceAt(bench, filter, filter.shape.slice(1), q)};
        return conv2DBackpropInput.compute(bench, inputs, {
          ...imageAttrs(info),
          inputShape: [read.length, ...frameShape],
        });
      }),
    );
    const width = util.sizeFromShape(frameShape);
    const all = bench.run(Concat, addends, {axis: 0});
    const rows = {...all, shape: [all.shape[0] as number, width]};
    const targets = Int32Array.from(used.flatMap(({read}) => [...read]));
    return {...addRows(bench, rows, targets, batchSize * depth), shape: inputShape};
  },
};

/** Derives a convolution of volumes from its shapes. */
function volumeConvolution(
  inputShape: number[],
  filterShape: number[],
  {strides, pad}: Pick<Conv3DBackpropInputV2Attrs, 'strides' | 'pad'>,
) {
  const info = backend_util.computeConv3DInfo(inputShape as Shape5D, filterShape as Shape5D, strides, 1, pad);
  return {info, frames: volumeAxes(info)[0]};
}

/**
 * Lists the frames that one filter frame reads, over all volumes of a batch, and the result frames
 * that it contributes to. Frames are numbered consecutively.
 */
function framePairs(
  batchSize: number,
  {input, output, stride, before}: WindowAxis,
  filterFrame: number,
): {read: Int32Array; given: Int32Array} {
  const read: number[] = [];
  const given: number[] = [];
  for (let volume = 0; volume < batchSize; volume++) {
    for (let frame = 0; frame < output; frame++) {
      const source = frame * stride + filterFrame - before;
      if (source < 0 || source >= input) continue;
      read.push(volume * input + source);
      given.push(volume * output + frame);
    }
  }
  return {read: Int32Array.from(read), given: Int32Array.from(given)};
}

/**
 * Copies some frames of volumes to images: float32[N, D, H, W, C], K frame numbers → float32[K, H,
 * W, C].
 */
function framesAt(bench: Workbench, volumes: TensorInfo, frames: Int32Array): TensorInfo {
  const shape = volumes.shape.slice(2);
  return {...slices(bench, volumes, util.sizeFromShape(shape), frames), shape: [frames.length, ...shape]};
}

/** Returns the attributes of a volume convolution for its frames. */
function imageAttrs({strideHeight, strideWidth, padInfo}: backend_util.Conv3DInfo): ConvolutionAttrs {
  const {top, bottom, left, right} = padInfo;
  return {
    strides: [strideHeight, strideWidth],
    pad: [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ],
    dataFormat: 'NHWC',
  };
}
