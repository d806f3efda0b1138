/**
 * @file Gradients of convolutions as sums of products: no windows are unrolled. They add up in the
 * order of a convolution by XNNPACK, so their bits are those of the composed kernels. Without
 * dilation, of which tfjs computes no gradient.
 */

import type {TensorInfo} from '@tensorflow/tfjs-core';
import {FILTER_GRADIENT, INPUT_GRADIENT, PANEL} from './assembly/kinds';
import {type Convolution, marginsRead, multiplicationsOf} from './convolution';
import {type Jobs, PANEL_ROW, WORD} from './jobs';
import {withMargins, zerosOf} from './margins';
import type {Workbench} from './workbench';

/** Bytes of the lines of an image that are computed together, at most. */
const BAND = 2 ** 17;

/**
 * Computes the gradient of a convolution with respect to its filter, pixel by pixel. Zeros around
 * the images are multiplied too, so what is not finite in dY may reach more of the filter.
 */
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
  const threads = jobs.threadsFor(multiplicationsOf(shapes));
  // Tiles of one line pack each pixel of dY once for every line.
  const tileRows = panels < threads ? 1 : rows.kernel;
  const tiles = panels * Math.ceil(rows.kernel / tileRows);
  // The fields of FilterGradient.
  jobs.run(FILTER_GRADIENT, {tiles, threads}, (batchSize + tileRows * numbers) * PANEL_ROW, [
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
  const [rows, columns] = shapes.axes;
  const result = bench.makeEmpty([batchSize, rows.input, columns.input, inChannels], 'float32');
  const [, , zeros] = zerosOf(marginsRead(shapes)) as [unknown, unknown, [number, number]];
  const line = zeros[0] + columns.input + zeros[1];
  const bandRows = Math.min(rows.input, Math.max(1, Math.floor(BAND / (line * PANEL_ROW))));
  const bands = batchSize * Math.ceil(rows.input / bandRows);
  const multiplications = multiplicationsOf(shapes);
  const tileBands = Math.ceil(bands / jobs.tilesFor(multiplications));
  const tiles = Math.ceil(bands / tileBands);
  const panels = rows.kernel * columns.kernel * outChannels + bandRows * line;
  // The fields of InputGradient.
  jobs.run(INPUT_GRADIENT, {tiles, threads: jobs.threadsFor(multiplications)}, panels * PANEL_ROW, [
    ...bench.places(dy, filter, result),
    ...[batchSize, rows.input, columns.input, inChannels, rows.output, columns.output, outChannels],
    ...[rows.kernel, columns.kernel, line, zeros[0]],
    ...[-rows.before, Math.max(0, -columns.before), bandRows, tileBands],
  ]);
  return result;
}
