import type {backend_util} from '@tensorflow/tfjs-core';

/** One axis of images or volumes, with the windows that a convolution or a pooling reads on it. */
export interface WindowAxis {
  /** Number of pixels of the image, of windows, and of pixels per window. */
  input: number;
  output: number;
  kernel: number;
  /** Distance between windows, and between the pixels of a window. */
  stride: number;
  dilation: number;
  /** Number of pixels by which the first window starts before the first pixel. */
  before: number;
}

export type ImageAxes = readonly [rows: WindowAxis, columns: WindowAxis];
export type VolumeAxes = readonly [frames: WindowAxis, rows: WindowAxis, columns: WindowAxis];

/** Sizes on one axis, under the names of tfjs: `inHeight`, `outHeight`, … */
type Sizes<Axis extends string> = Record<`${'in' | 'out' | 'filter' | 'stride' | 'dilation'}${Axis}`, number>;
type ImageInfo = Sizes<'Height'> & Sizes<'Width'> & {padInfo: {top: number; left: number}};

export function imageAxes(info: ImageInfo): ImageAxes {
  return [windowAxis(info, 'Height', info.padInfo.top), windowAxis(info, 'Width', info.padInfo.left)];
}

export function volumeAxes(info: backend_util.Conv3DInfo): VolumeAxes {
  return [windowAxis(info, 'Depth', info.padInfo.front), ...imageAxes(info)];
}

function windowAxis<Axis extends string>(info: Sizes<Axis>, axis: Axis, before: number): WindowAxis {
  return {
    input: info[`in${axis}`],
    output: info[`out${axis}`],
    kernel: info[`filter${axis}`],
    stride: info[`stride${axis}`],
    dilation: info[`dilation${axis}`],
    before,
  };
}

/** Lists the part of an axis that each window covers. */
export function covered({input, output, kernel, stride, before}: WindowAxis): {first: number; end: number}[] {
  return Array.from({length: output}, (_, window) => {
    const first = window * stride - before;
    return {first: Math.max(0, first), end: Math.min(input, first + kernel)};
  });
}
