import {
  AvgPool,
  BatchMatMul,
  Cast,
  Concat,
  DepthwiseConv2dNativeBackpropFilter,
  type DepthwiseConv2dNativeBackpropFilterAttrs,
  Fill,
  GatherNd,
  Multiply,
  PadV2,
  Sum,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import {type Convolution, convolution, marginsRead, readsNoPixel} from './convolution';
import {asFloat, isEmpty, zeros} from './floats';
import {withMargins} from './margins';
import {pixelGrid} from './pixelGrid';
import type {Inputs, WasmKernel} from './wasmKernel';
import type {Workbench} from './workbench';

/**
 * The gradient of a depthwise convolution with respect to its filter, one kernel position after another.
 *
 *     dW[r, s, c, m] = Σ_{n, y, x} X[n, y·stride + r·dilation, x·stride + s·dilation, c] · dY[n, y, x, c·M + m]
 *
 * with M filters for each channel. The sum over an image is its mean times the number of pixels: pooling adds up whole pixels,
 * and takes a tenth of the time of the stock sum.
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

/** Each channel as often as it has filters: as a product of columns with ones, which is the fastest way. */
function repeatedChannels(bench: Workbench, images: TensorInfo, times: number): TensorInfo {
  if (times === 1) return images;
  const a = {...images, shape: [1, util.sizeFromShape(images.shape), 1]};
  const b = bench.run(Fill, {}, {shape: [1, 1, times], value: 1, dtype: 'float32'});
  const repeated = bench.run(BatchMatMul, {a, b}, {transposeA: false, transposeB: false});
  return {...repeated, shape: [...images.shape.slice(0, -1), (images.shape[3] as number) * times]};
}

/** The means over each image of dY times the pixels that one kernel position read: float32[N, 1, 1, C·M]. */
function imageMeans(
  bench: Workbench,
  images: TensorInfo,
  dy: TensorInfo,
  row: number,
  column: number,
  {outHeight, outWidth, strideHeight, strideWidth, dilationHeight, dilationWidth}: Convolution,
): TensorInfo {
  const read = pixelGrid(bench, images, {
    firstRow: row * dilationHeight,
    rowStep: strideHeight,
    rows: outHeight,
    firstColumn: column * dilationWidth,
    columnStep: strideWidth,
    columns: outWidth,
  });
  const products = bench.run(Multiply, {a: read, b: dy});
  return bench.run(AvgPool, {x: products}, {filterSize: [outHeight, outWidth], strides: 1, pad: 'valid'});
}
