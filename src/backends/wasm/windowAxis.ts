import type {backend_util} from '@tensorflow/tfjs-core';

/** One axis of images or volumes, and the windows on it that a convolution or a pooling reads. */
export interface WindowAxis {
  /** Pixels of the image, windows, and pixels of each window. */
  input: number;
  output: number;
  kernel: number;
  /** How far apart the windows lie, and the pixels of a window. */
  stride: number;
  dilation: number;
  /** How far the first window begins before the first pixel. */
  before: number;
}

export type ImageAxes = readonly [rows: WindowAxis, columns: WindowAxis];
export type VolumeAxes = readonly [frames: WindowAxis, rows: WindowAxis, columns: WindowAxis];

/** An axis of one pixel, and one window with it. */
export const SINGLE: WindowAxis = {input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, before: 0};

/** The sizes on one axis, as tfjs names them: `inHeight`, `outHeight`, … */
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
