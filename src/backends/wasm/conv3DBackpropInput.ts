import {
  backend_util,
  Concat,
  Conv3DBackpropInputV2,
  type Conv3DBackpropInputV2Attrs,
  util,
} from '@tensorflow/tfjs-core';
import {addRows} from './addRows';
import {conv2DBackpropInput} from './conv2DBackpropInput';
import {checkConvolution} from './convolution';
import {isEmpty, zeros} from './floats';
import {sliceAt} from './slices';
import {framePairs, framesAt, imageAttrs} from './volumes';
import type {Inputs, WasmKernel} from './wasmKernel';
import {volumeAxes} from './windowAxis';

/**
 * The gradient of a convolution of volumes with respect to its input: one of images for each frame of the filter, added up where
 * several frames of the filter read the same one.
 *
 * The stock kernel reads beyond the end of its tensors.
 */
export const conv3DBackpropInput: WasmKernel = {
  kernelName: Conv3DBackpropInputV2,
  from: [...conv2DBackpropInput.from, Concat],
  compute(bench, {dy, filter}: Inputs<'dy' | 'filter'>, {strides, pad, inputShape}: Conv3DBackpropInputV2Attrs) {
    const filterShape = filter.shape as [number, number, number, number, number];
    const info = backend_util.computeConv3DInfo(inputShape, filterShape, strides, 1, pad);
    checkConvolution(Conv3DBackpropInputV2, filterShape.slice(3), dy, info);
    const [frames] = volumeAxes(info);
    const [batchSize, depth, ...frameShape] = inputShape;
    const pairs = Array.from({length: frames.kernel}, (_, q) => ({q, ...framePairs(batchSize, frames, q)}));
    const used = pairs.filter(({read}) => read.length > 0);
    if (used.length === 0 || isEmpty(filter)) return zeros(bench, inputShape);
    const addends = used.map(({q, read, given}) =>
      bench.piece(() => {
        const inputs = {dy: framesAt(bench, dy, given), filter: sliceAt(bench, filter, filterShape.slice(1), q)};
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
