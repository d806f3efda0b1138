/**
 * @file Gradients of convolutions as sums of products, which read windows where they lie: nothing
 * is unrolled or transposed. They add up in the order of a convolution by XNNPACK, so their bits
 * are those of the composed kernels.
 */

import type {TensorInfo} from '@tensorflow/tfjs-core';
import {FILTER_GRADIENT, INPUT_GRADIENT, PANEL} from './assembly/kinds';
import {type Convolution, marginsRead, multiplicationsOf} from './convolution';
import {type Jobs, WORD} from './jobs';
import {withMargins, zerosOf} from './margins';
import type {WindowAxis} from './windowAxis';
import type {Workbench} from './workbench';

const PANEL_ROW = PANEL * WORD;

/** Computes the gradient of a convolution with respect to its filter, pixel by pixel. */
export function filterGradient(
  bench: Workbench,
  jobs: Jobs,
  x: TensorInfo,
  dy: TensorInfo,
  shapes: Convolution,
): TensorInfo {
  const {batchSize, inChannels, outChannels} = shapes;
  const [rows, columns] = shapes.axes;
  const images = withMargins(bench, x, marginsRead(shapes));
  const [, height, width] = images.shape as [number, number, number, number];
  const result = bench.makeEmpty([rows.kernel, columns.kernel, inChannels, outChannels], 'float32');
  const [pixels, gradients, to] = bench.places(images, dy, result);
  const [pixel, line] = [inChannels * WORD, width * inChannels * WORD];
  const numbers = columns.kernel * inChannels;
  const panels = Math.ceil(outChannels / PANEL);
  const multiplications = multiplicationsOf(shapes);
  // Tiles of one line pack each pixel of dY once for every line.
  const tileRows = panels < Math.min(jobs.threads, jobs.fewestTiles(multiplications)) ? 1 : rows.kernel;
  const tiles = panels * Math.ceil(rows.kernel / tileRows);
  jobs.run(FILTER_GRADIENT, {tiles, multiplications}, (batchSize + tileRows * numbers) * PANEL_ROW, [
    ...[pixels, height * line, line, rows.stride * line, columns.stride * pixel],
    ...[gradients, to, batchSize, rows.output, columns.output, outChannels],
    ...[rows.kernel, numbers, tileRows],
  ]);
  return result;
}

/**
 * Computes the gradient of a convolution without strides with respect to its input, line by line.
 */
export function inputGradient(
  bench: Workbench,
  jobs: Jobs,
  dy: TensorInfo,
  filter: TensorInfo,
  shapes: Convolution,
): TensorInfo {
  const {batchSize, inChannels, outChannels} = shapes;
  const [rows, columns] = axesOf(shapes);
  const result = bench.makeEmpty([batchSize, rows.input, columns.input, inChannels], 'float32');
  const panels = rows.kernel * columns.kernel * outChannels + rows.length * columns.length;
  const multiplications = multiplicationsOf(shapes);
  const tileImages = Math.ceil(batchSize / jobs.fewestTiles(multiplications));
  const tiles = Math.ceil(batchSize / tileImages);
  jobs.run(INPUT_GRADIENT, {tiles, multiplications}, panels * PANEL_ROW, [
    ...bench.places(dy, filter, result),
    ...[batchSize, rows.input, columns.input, inChannels, rows.output, columns.output, outChannels],
    ...[rows.kernel, columns.kernel, rows.length, columns.length, rows.zeros, columns.zeros],
    ...[rows.first, columns.first, tileImages],
  ]);
  return result;
}

/** One axis of an image with zeros around it, as many as the windows read. */
interface Axis extends WindowAxis {
  /** Number of pixels with the zeros, and of zeros before the first pixel. */
  length: number;
  zeros: number;
  /** The first pixel read. It is not 0 if the first window starts after the first pixel. */
  first: number;
}

function axesOf(shapes: Convolution): [rows: Axis, columns: Axis] {
  const [, ...zeros] = zerosOf(marginsRead(shapes));
  return shapes.axes.map((axis, i) => {
    const [before, after] = zeros[i] as [number, number];
    return {...axis, length: before + axis.input + after, zeros: before, first: Math.max(0, -axis.before)};
  }) as [Axis, Axis];
}
