import {backend_util, Concat, Conv3DBackpropFilterV2, type Conv3DBackpropFilterV2Attrs} from '@tensorflow/tfjs-core';
import {conv2DBackpropFilter} from './conv2DBackpropFilter';
import {checkConvolution} from './convolution';
import {zeros} from './floats';
import {framePairs, framesAt, imageAttrs} from './volumes';
import type {Inputs, WasmKernel} from './wasmKernel';
import {volumeAxes} from './windowAxis';

/**
 * The gradient of a convolution of volumes with respect to its filter: one of images for each frame of the filter.
 *
 *     dW[q] = the filter gradient of the frames of X that frame q of the filter read, and those of dY that it gave
 *
 * The stock kernel leaves out the last pixels where strides do not divide the volume.
 */
export const conv3DBackpropFilter: WasmKernel = {
  kernelName: Conv3DBackpropFilterV2,
  from: [...conv2DBackpropFilter.from, Concat],
  compute(bench, {x, dy}: Inputs<'x' | 'dy'>, {strides, pad, filterShape}: Conv3DBackpropFilterV2Attrs) {
    const volume = x.shape as [number, number, number, number, number];
    const info = backend_util.computeConv3DInfo(volume, filterShape, strides, 1, pad);
    checkConvolution(Conv3DBackpropFilterV2, filterShape.slice(3), dy, info);
    const [frames] = volumeAxes(info);
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
