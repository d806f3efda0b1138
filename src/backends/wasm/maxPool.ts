import {
  backend_util,
  Cast,
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
import {addToFirstMaxima} from './firstMaxima';
import {asFloat} from './floats';
import {covered, imageAxes, type VolumeAxes, volumeAxes} from './windowAxis';
import type {Inputs, WasmKernel} from './workbench';

/**
 * Computes the gradient of max pooling. Each number of dY goes to the maximum of its window, the
 * first of equal ones.
 *
 * The stock kernel initialises the maximum to 1e-38, so the gradient of a window without a larger
 * number is lost.
 */
export const maxPoolGrad: WasmKernel = {
  kernelName: MaxPoolGrad,
  from: [Cast],
  compute(bench, {dy, input}: Inputs<'dy' | 'input'>, {filterSize, strides, pad, dimRoundingMode}: MaxPoolGradAttrs) {
    const shape = input.shape as [number, number, number, number];
    const info = backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
    checkShape(MaxPoolGrad, dy, info.outShape);
    const {batchSize, inChannels: channels} = info;
    const images = asFloat(bench, input);
    const result = bench.makeEmpty(shape, 'float32');
    const [sums, gradients, values] = bench.views(result, dy, images) as [Float32Array, Float32Array, Float32Array];
    sums.fill(0);
    addToFirstMaxima(sums, gradients, values, {batchSize, channels, axes: imageAxes(info)});
    return result;
  },
};

/**
 * Computes max pooling of volumes.
 *
 * The stock kernel returns 1e-38 for a window without a larger number.
 */
export const maxPool3D: WasmKernel = {
  kernelName: MaxPool3D,
  from: [],
  compute(bench, {x}: Inputs<'x'>, attrs: MaxPool3DAttrs) {
    const info = volumePooling(x, attrs);
    const result = bench.makeEmpty(info.outShape, 'float32');
    const [maxima, values] = bench.views(result, x) as [Float32Array, Float32Array];
    const places = windowMaxima(values, info.batchSize, volumeAxes(info), info.inChannels, 'first');
    for (let i = 0; i < places.length; i++) maxima[i] = values[places[i] as number] ?? Number.NEGATIVE_INFINITY;
    return result;
  },
};

/**
 * Computes the gradient of max pooling of volumes, as for images, but with the last of equal
 * maxima.
 */
export const maxPool3DGrad: WasmKernel = {
  kernelName: MaxPool3DGrad,
  from: [],
  compute(bench, {dy, input}: Inputs<'dy' | 'input'>, attrs: MaxPool3DGradAttrs) {
    const info = volumePooling(input, attrs);
    checkShape(MaxPool3DGrad, dy, info.outShape);
    const result = bench.makeEmpty(input.shape, 'float32');
    const [sums, gradients, values] = bench.views(result, dy, input) as [Float32Array, Float32Array, Float32Array];
    const places = windowMaxima(values, info.batchSize, volumeAxes(info), info.inChannels, 'last');
    sums.fill(0);
    for (let i = 0; i < places.length; i++) {
      const place = places[i] as number;
      if (place >= 0) sums[place] = (sums[place] as number) + (gradients[i] as number);
    }
    return result;
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

/**
 * Finds the maximum of each window and channel of volumes.
 *
 * @param values   float32[B, D, H, W, C], flattened.
 * @param ofEqual  which of equal maxima to return.
 * @returns the indices of the maxima in `values`, int32[B, D', H', W', C]; −1 for an empty window.
 */
function windowMaxima(
  values: ArrayLike<number>,
  batchSize: number,
  [frames, rows, columns]: VolumeAxes,
  channels: number,
  ofEqual: 'first' | 'last',
): Int32Array {
  const places = new Int32Array(batchSize * frames.output * rows.output * columns.output * channels).fill(-1);
  const maxima = new Float32Array(channels);
  const takesEqual = ofEqual === 'last';
  let window = 0;
  for (let batch = 0; batch < batchSize; batch++) {
    for (const ofFrames of covered(frames)) {
      for (const ofRows of covered(rows)) {
        for (const ofColumns of covered(columns)) {
          maxima.fill(Number.NEGATIVE_INFINITY);
          for (let frame = ofFrames.first; frame < ofFrames.end; frame++) {
            for (let row = ofRows.first; row < ofRows.end; row++) {
              const line = ((batch * frames.input + frame) * rows.input + row) * columns.input;
              for (let column = ofColumns.first; column < ofColumns.end; column++) {
                const pixel = (line + column) * channels;
                for (let channel = 0; channel < channels; channel++) {
                  const value = values[pixel + channel] as number;
                  const largest = maxima[channel] as number;
                  if (value > largest || (takesEqual && value === largest)) {
                    maxima[channel] = value;
                    places[window + channel] = pixel + channel;
                  }
                }
              }
            }
          }
          window += channels;
        }
      }
    }
  }
  return places;
}
