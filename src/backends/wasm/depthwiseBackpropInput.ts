import {
  Cast,
  DepthwiseConv2dNative,
  DepthwiseConv2dNativeBackpropInput,
  type DepthwiseConv2dNativeBackpropInputAttrs,
  Fill,
  GatherNd,
  PadV2,
  Reverse,
  Sum,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import {type Convolution, convolution, marginsOfGradient, readsNoPixel} from './convolution';
import {asFloat, isEmpty, zeros} from './floats';
import {cropped, zerosOf} from './margins';
import type {Inputs, WasmKernel} from './wasmKernel';
import type {Workbench} from './workbench';

/**
 * The gradient of a depthwise convolution with respect to its input, as a depthwise convolution.
 *
 *     dX[c] = Σ_m dY[c·M + m] ∗ the filter [c, m] turned round,    with M filters for each channel
 *
 * where dY has the zeros between its pixels that strides stepped over.
 */
export const depthwiseBackpropInput: WasmKernel = {
  kernelName: DepthwiseConv2dNativeBackpropInput,
  from: [Cast, DepthwiseConv2dNative, Fill, GatherNd, PadV2, Reverse, Sum],
  compute(bench, {dy, filter}: Inputs<'dy' | 'filter'>, attrs: DepthwiseConv2dNativeBackpropInputAttrs) {
    const {inputShape} = attrs;
    const shapes = convolution(DepthwiseConv2dNativeBackpropInput, inputShape, filter.shape, dy, attrs, true);
    if (isEmpty(dy) || isEmpty(filter) || readsNoPixel(shapes)) return zeros(bench, inputShape);
    const {filterHeight, filterWidth, inChannels, outChannels, dilationHeight, dilationWidth} = shapes;
    const margins = marginsOfGradient(shapes);
    const turned = bench.run(Reverse, {x: asFloat(bench, filter)}, {dims: [0, 1]});
    const images = bench.run(
      DepthwiseConv2dNative,
      {
        x: cropped(bench, spread(bench, asFloat(bench, dy), shapes), margins),
        filter: {...turned, shape: [filterHeight, filterWidth, outChannels, 1]},
      },
      {strides: 1, dilations: [dilationHeight, dilationWidth], pad: zerosOf(margins)},
    );
    if (outChannels === inChannels) return images;
    const byFilter = {...images, shape: [...inputShape, outChannels / inChannels]};
    return bench.run(Sum, {x: byFilter}, {axis: [4], keepDims: false});
  },
};

/** Puts zeros after each pixel, as many as a stride steps over. */
function spread(bench: Workbench, dy: TensorInfo, shapes: Convolution): TensorInfo {
  const {batchSize, outHeight, outWidth, outChannels, strideHeight, strideWidth} = shapes;
  if (strideHeight === 1 && strideWidth === 1) return dy;
  // A row of pixels is followed by rows of zeros, and a pixel by more channels, which are zero.
  const paddings = [
    [0, 0],
    [0, strideHeight - 1],
    [0, 0],
    [0, (strideWidth - 1) * outChannels],
  ];
  const x = {...dy, shape: [batchSize * outHeight, 1, outWidth, outChannels]};
  const shape = [batchSize, outHeight * strideHeight, outWidth * strideWidth, outChannels];
  return {...bench.run(PadV2, {x}, {paddings, constantValue: 0}), shape};
}
