import {PadV2, type TensorInfo} from '@tensorflow/tfjs-core';
import {type Lines, pixelGrid} from './slices';
import type {Workbench} from './workbench';

/** Rows or columns of zeros before and after an image; a negative number crops the image. */
export type Margin = readonly [before: number, after: number];
export type Margins = readonly [rows: Margin, columns: Margin];

/** Crops images by the negative margins. */
export function cropped(bench: Workbench, images: TensorInfo, margins: Margins): TensorInfo {
  const [rows, columns] = margins.map(([before, after], i) => {
    const first = Math.max(0, -before);
    return {first, step: 1, count: (images.shape[i + 1] as number) - first - Math.max(0, -after)};
  }) as [Lines, Lines];
  if (rows.count === images.shape[1] && columns.count === images.shape[2]) return images;
  return pixelGrid(bench, images, rows, columns);
}

/** Returns the zeros of the margins, in the form of convolutions and paddings. */
export function zerosOf(margins: Margins): [number, number][] {
  const around = margins.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)]);
  return [[0, 0], ...around, [0, 0]];
}

/** Applies margins to images: crops them, and pads them with zeros. */
export function withMargins(bench: Workbench, images: TensorInfo, margins: Margins): TensorInfo {
  const paddings = zerosOf(margins);
  const x = cropped(bench, images, margins);
  if (paddings.flat().every((count) => count === 0)) return x;
  return bench.run(PadV2, {x}, {paddings, constantValue: 0});
}
