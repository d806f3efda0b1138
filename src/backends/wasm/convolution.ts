import {backend_util, Slice, type TensorInfo, util} from '@tensorflow/tfjs-core';
import {typeError} from '../../checks';
import type {Margin, Margins} from './margins';
import {type ImageAxes, imageAxes, type WindowAxis} from './windowAxis';
import type {Workbench} from './workbench';

type Shape4D = [number, number, number, number];

/** The attributes of convolution gradients. */
export interface ConvolutionAttrs {
  strides: [number, number] | number;
  pad: 'valid' | 'same' | number | backend_util.ExplicitPadding;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
  dataFormat?: 'NHWC' | 'NCHW';
  dilations?: [number, number] | number;
}

export interface Convolution extends backend_util.Conv2DInfo {
  axes: ImageAxes;
}

/**
 * Derives a convolution from its shapes, and checks that they fit together. Invalid shapes throw
 * the errors of tfjs.
 */
export function convolution(
  kernelName: string,
  inputShape: number[],
  filterShape: number[],
  dy: TensorInfo,
  attrs: ConvolutionAttrs,
  isDepthwise = false,
): Convolution {
  const info = convolutionOf(inputShape, filterShape, attrs, isDepthwise);
  checkConvolution(kernelName, filterShape.slice(2), dy, info);
  return info;
}

/** Derives a convolution from its shapes. Invalid shapes throw the errors of tfjs. */
export function convolutionOf(
  inputShape: number[],
  filterShape: number[],
  {strides, pad, dimRoundingMode, dataFormat = 'NHWC', dilations = 1}: ConvolutionAttrs,
  isDepthwise = false,
): Convolution {
  const info = backend_util.computeConv2DInfo(
    inputShape as Shape4D,
    filterShape as Shape4D,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    isDepthwise,
    backend_util.convertConv2DDataFormat(dataFormat),
  );
  return {...info, axes: imageAxes(info)};
}

/**
 * Crops the input of a transposed convolution to the pixels that its output is computed from.
 *
 * `tf.conv2dTranspose` accepts any output shape, and larger inputs with it. The other backends
 * ignore the extra pixels.
 */
export function pixelsUsed(
  bench: Workbench,
  dy: TensorInfo,
  {outShape, dataFormat}: {outShape: number[]; dataFormat: string},
): TensorInfo {
  const channels = dataFormat === 'channelsFirst' ? 1 : outShape.length - 1;
  const fits = outShape.every((length, axis) => {
    const given = dy.shape[axis] ?? 0;
    return axis === channels ? given === length : given >= length;
  });
  if (!fits || util.arraysEqual(dy.shape, outShape)) return dy;
  return bench.run(Slice, {x: dy}, {begin: outShape.map(() => 0), size: outShape});
}

/** Checks the channels of the filter, and the shape of dY. */
export function checkConvolution(
  kernelName: string,
  channels: number[],
  dy: TensorInfo,
  {inChannels, outShape}: {inChannels: number; outShape: number[]},
): void {
  if (channels[0] !== inChannels) {
    throw typeError(kernelName, 'the filter', `have the ${inChannels} channels of the input`, channels[0]);
  }
  if (!util.arraysEqual(dy.shape, outShape)) {
    throw typeError(kernelName, 'dy', `have the shape of the convolution, [${outShape.join(', ')}]`, dy.shape);
  }
}

/**
 * Returns the margins that a convolution reads. They differ from the padding if strides leave
 * pixels over.
 */
export function marginsRead({axes: [rows, columns]}: Convolution): Margins {
  return [marginRead(rows), marginRead(columns)];
}

function marginRead({input, output, kernel, stride, dilation, before}: WindowAxis): Margin {
  return [before, (output - 1) * stride + (kernel - 1) * dilation + 1 - before - input];
}

/** Whether the convolution reads only padding. */
export function readsNoPixel({axes}: Convolution): boolean {
  return axes.some((axis) => {
    const [before, after] = marginRead(axis);
    return axis.input + Math.min(0, before) + Math.min(0, after) < 1;
  });
}

/**
 * Returns the margins that the gradient reads around dY, dilated by the strides. A convolution with
 * the flipped filter then restores the size of the image.
 */
export function marginsOfGradient({axes: [rows, columns]}: Convolution): Margins {
  return [marginOfGradient(rows), marginOfGradient(columns)];
}

function marginOfGradient({input, output, kernel, stride, dilation, before}: WindowAxis): Margin {
  return [(kernel - 1) * dilation - before, input - output * stride + before];
}

/** Returns the number of multiplications of a convolution, and of each of its gradients. */
export function multiplicationsOf({outShape, filterHeight, filterWidth, inChannels}: Convolution): number {
  return util.sizeFromShape(outShape) * filterHeight * filterWidth * inChannels;
}
