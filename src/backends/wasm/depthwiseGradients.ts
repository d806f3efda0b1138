import {
  AvgPool,
  BatchMatMul,
  Cast,
  Concat,
  DepthwiseConv2dNative,
  DepthwiseConv2dNativeBackpropFilter,
  type DepthwiseConv2dNativeBackpropFilterAttrs,
  DepthwiseConv2dNativeBackpropInput,
  type DepthwiseConv2dNativeBackpropInputAttrs,
  Fill,
  GatherNd,
  Multiply,
  PadV2,
  Reverse,
  Sum,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import {type Convolution, convolution, marginsOfGradient, marginsRead, readsNoPixel} from './convolution';
import {asFloat, isEmpty, zeros} from './floats';
import {cropped, withMargins, zerosOf} from './margins';
import {pixelGrid} from './slices';
import type {Inputs, WasmKernel, Workbench} from './workbench';

/**
 * Computes the gradient of a depthwise convolution with respect to its filter, one kernel position
 * at a time.
 *
 *     dW[r, s, c, m] = Σ_{n, y, x} X[n, y·stride + r·dilation, x·stride + s·dilation, c]
 *                      · dY[n, y, x, c·M + m],    with M filters per channel
 *
 * The sum over an image is its mean times the number of pixels: pooling adds up whole pixels, and
 * is faster than the stock sum.
 */
export const depthwiseBackpropFilter: WasmKernel = {
  kernelName: DepthwiseConv2dNativeBackpropFilter,
  from: [AvgPool, BatchMatMul, Cast, Concat, Fill, GatherNd, Multiply, PadV2, Sum],
  compute(bench, {x, dy}: Inputs<'x' | 'dy'>, attrs: DepthwiseConv2dNativeBackpropFilterAttrs) {
    const {filterShape} = attrs;
    const shapes = convolution(DepthwiseConv2dNativeBackpropFilter, x.shape, filterShape, dy, attrs, true);
    if (isEmpty(x) || isEmpty(dy) || readsNoPixel(shapes)) return zeros(bench, filterShape);
    const repeated = repeatedChannels(bench, asFloat(bench, x), filterShape[3]);
    const images = withMargins(bench, repeated, marginsRead(shapes));
    const gradient = asFloat(bench, dy);
    const means: TensorInfo[] = [];
    for (let row = 0; row < shapes.filterHeight; row++) {
      for (let column = 0; column < shapes.filterWidth; column++) {
        means.push(bench.piece(() => imageMeans(bench, images, gradient, row, column, shapes)));
      }
    }
    const stacked = {
      ...bench.run(Concat, means, {axis: 0}),
      shape: [means.length, shapes.batchSize, shapes.outChannels],
    };
    const sums = bench.run(Sum, {x: stacked}, {axis: [1], keepDims: false});
    const pixels = bench.run(Fill, {}, {shape: [], value: shapes.outHeight * shapes.outWidth, dtype: 'float32'});
    return {...bench.run(Multiply, {a: sums, b: pixels}), shape: filterShape};
  },
};

/**
 * Repeats each channel once per filter, as a product of columns with ones, which is the fastest
 * way.
 */
function repeatedChannels(bench: Workbench, images: TensorInfo, times: number): TensorInfo {
  if (times === 1) return images;
  const a = {...images, shape: [1, util.sizeFromShape(images.shape), 1]};
  const b = bench.run(Fill, {}, {shape: [1, 1, times], value: 1, dtype: 'float32'});
  const repeated = bench.run(BatchMatMul, {a, b}, {transposeA: false, transposeB: false});
  return {...repeated, shape: [...images.shape.slice(0, -1), (images.shape[3] as number) * times]};
}

/**
 * Computes the means over each image of dY times the pixels read at one kernel position: float32[N,
 * 1, 1, C·M].
 */
function imageMeans(
  bench: Workbench,
  images: TensorInfo,
  dy: TensorInfo,
  row: number,
  column: number,
  {outHeight, outWidth, strideHeight, strideWidth, dilationHeight, dilationWidth}: Convolution,
): TensorInfo {
  const rows = {first: row * dilationHeight, step: strideHeight, count: outHeight};
  const columns = {first: column * dilationWidth, step: strideWidth, count: outWidth};
  const read = pixelGrid(bench, images, rows, columns);
  const products = bench.run(Multiply, {a: read, b: dy});
  return bench.run(AvgPool, {x: products}, {filterSize: [outHeight, outWidth], strides: 1, pad: 'valid'});
}

/**
 * Computes the gradient of a depthwise convolution with respect to its input, as a depthwise
 * convolution.
 *
 *     dX[c] = Σ_m dY[c·M + m] ∗ the flipped filter [c, m],    with M filters per channel
 *
 * Strides put zeros between the pixels of dY.
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

/** Inserts zeros after each pixel, one less than the stride. */
function spread(bench: Workbench, dy: TensorInfo, shapes: Convolution): TensorInfo {
  const {batchSize, outHeight, outWidth, outChannels, strideHeight, strideWidth} = shapes;
  if (strideHeight === 1 && strideWidth === 1) return dy;
  // Rows of zeros follow each row of pixels, and zero channels follow each pixel.
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
