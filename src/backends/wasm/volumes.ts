import type {backend_util, TensorInfo} from '@tensorflow/tfjs-core';
import type {ConvolutionAttrs} from './convolution';
import {slices} from './slices';
import type {WindowAxis} from './windowAxis';
import type {Workbench} from './workbench';

/**
 * The frames that one frame of a filter reads, of all volumes of a batch, and the frames of the result that it computes from
 * them: as numbers of frames that lie one after the other.
 */
export function framePairs(
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

/** Copies of some frames of volumes, as images: float32[N, D, H, W, C], K numbers of frames → float32[K, H, W, C]. */
export function framesAt(bench: Workbench, volumes: TensorInfo, frames: Int32Array): TensorInfo {
  const shape = volumes.shape.slice(2);
  const size = shape.reduce((total, length) => total * length, 1);
  return {...slices(bench, volumes, size, frames), shape: [frames.length, ...shape]};
}

/** A convolution of volumes as one of their frames. */
export function imageAttrs({strideHeight, strideWidth, padInfo}: backend_util.Conv3DInfo): ConvolutionAttrs {
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
