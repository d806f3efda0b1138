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

type ImageInfo = Omit<backend_util.Conv2DInfo, 'inShape' | 'outShape' | 'filterShape' | 'padInfo'> & {
  padInfo: {top: number; left: number};
};

export function imageAxes(info: ImageInfo): ImageAxes {
  return [
    {
      input: info.inHeight,
      output: info.outHeight,
      kernel: info.filterHeight,
      stride: info.strideHeight,
      dilation: info.dilationHeight,
      before: info.padInfo.top,
    },
    {
      input: info.inWidth,
      output: info.outWidth,
      kernel: info.filterWidth,
      stride: info.strideWidth,
      dilation: info.dilationWidth,
      before: info.padInfo.left,
    },
  ];
}

export function volumeAxes(info: backend_util.Conv3DInfo): VolumeAxes {
  const frames: WindowAxis = {
    input: info.inDepth,
    output: info.outDepth,
    kernel: info.filterDepth,
    stride: info.strideDepth,
    dilation: info.dilationDepth,
    before: info.padInfo.front,
  };
  return [frames, ...imageAxes(info)];
}
