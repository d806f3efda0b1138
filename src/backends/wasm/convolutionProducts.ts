/**
 * @file Gradients of convolutions as sums of products, which read windows where they lie: nothing
 * is unrolled or transposed. They add up in the order of a convolution by XNNPACK, so their bits
 * are those of the composed kernels.
 */

import type {TensorInfo} from '@tensorflow/tfjs-core';
import {type Convolution, marginsRead} from './convolution';
import {withMargins, zerosOf} from './margins';
import {PANEL, PANEL_ROW, type Products, WORD} from './product';
import type {WindowAxis} from './windowAxis';
import type {Workbench} from './workbench';

/**
 * Computes the gradient of a convolution with respect to its filter, pixel by pixel. For each line
 * r of the filter, the line of a window is one row of numbers (s, i), in each image n:
 *
 *     dW[r, (s, i), o] = Σ_{y, x} Σ_n windows[y·stride + r, x·stride][n, (s, i)] · dY[y, x][n, o]
 */
export function filterGradient(
  bench: Workbench,
  {addPanel, copy, pack}: Products,
  x: TensorInfo,
  dy: TensorInfo,
  shapes: Convolution,
): TensorInfo {
  const {batchSize, inChannels, outChannels} = shapes;
  const [rows, columns] = shapes.axes;
  const images = withMargins(bench, x, marginsRead(shapes));
  const [, height, width] = images.shape as [number, number, number, number];
  const weights = columns.kernel * inChannels;
  const result = bench.makeEmpty([rows.kernel, columns.kernel, inChannels, outChannels], 'float32');
  const pixelOfAll = bench.makeEmpty([batchSize, PANEL], 'float32');
  const rest = bench.makeEmpty([rows.kernel * weights, PANEL], 'float32');
  const views = bench.views(images, dy, result, pixelOfAll, rest) as Views;
  const [pixels, gradients, sums, packed, edge] = views.map(({byteOffset}) => byteOffset) as Places;
  const [pixel, row] = [inChannels * WORD, outChannels * WORD];
  // Columns past the last channel are computed too, and left out.
  for (const view of views.slice(2)) view.fill(0);
  for (let channel = 0; channel < outChannels; channel += PANEL) {
    const count = Math.min(PANEL, outChannels - channel);
    const [to, toRow] = count === PANEL ? [sums + channel * WORD, row] : [edge, PANEL_ROW];
    for (let y = 0; y < rows.output; y++) {
      for (let x = 0; x < columns.output; x++) {
        const given = gradients + (y * columns.output + x) * row + channel * WORD;
        pack(given, rows.output * columns.output * row, WORD, packed, batchSize, count);
        for (let r = 0; r < rows.kernel; r++) {
          const window = pixels + ((y * rows.stride + r) * width + x * columns.stride) * pixel;
          const target = to + r * weights * toRow;
          addPanel(window, WORD, height * width * pixel, packed, target, toRow, weights, batchSize);
        }
      }
    }
    if (count < PANEL) copy(edge, PANEL_ROW, sums + channel * WORD, row, rows.kernel * weights, count);
  }
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

/**
 * Computes the gradient of a convolution without strides with respect to its input, line by line,
 * as a sum over all positions (r, s) of the filter:
 *
 *     dX[n, y + r][x + s, i] += dY[n, y][x, o] · W[r, s]ᵀ[o, i]
 */
export function inputGradient(
  bench: Workbench,
  {addPanel, copy, pack}: Products,
  dy: TensorInfo,
  filter: TensorInfo,
  shapes: Convolution,
): TensorInfo {
  const {batchSize, inChannels, outChannels} = shapes;
  const [rows, columns] = axesOf(shapes);
  const positions = rows.kernel * columns.kernel;
  const result = bench.makeEmpty([batchSize, rows.input, columns.input, inChannels], 'float32');
  const panel = bench.makeEmpty([positions * outChannels, PANEL], 'float32');
  const image = bench.makeEmpty([rows.length * columns.length, PANEL], 'float32');
  const views = bench.views(dy, filter, result, panel, image) as Views;
  const [gradients, weights, sums, packed, padded] = views.map(({byteOffset}) => byteOffset) as Places;
  const [pixel, row] = [inChannels * WORD, outChannels * WORD];
  views[3].fill(0);
  for (let channel = 0; channel < inChannels; channel += PANEL) {
    const count = Math.min(PANEL, inChannels - channel);
    for (let position = 0; position < positions; position++) {
      const from = weights + (position * inChannels + channel) * row;
      pack(from, WORD, row, packed + position * outChannels * PANEL_ROW, outChannels, count);
    }
    for (let n = 0; n < batchSize; n++) {
      views[4].fill(0);
      for (let position = positions - 1; position >= 0; position--) {
        const b = packed + position * outChannels * PANEL_ROW;
        const r = rows.first + Math.floor(position / columns.kernel);
        const s = columns.first + (position % columns.kernel);
        for (let y = 0; y < rows.output; y++) {
          const given = gradients + (n * rows.output + y) * columns.output * row;
          const target = padded + ((y + r) * columns.length + s) * PANEL_ROW;
          addPanel(given, row, WORD, b, target, PANEL_ROW, columns.output, outChannels);
        }
      }
      for (let y = 0; y < rows.input; y++) {
        const from = padded + ((rows.zeros + y) * columns.length + columns.zeros) * PANEL_ROW;
        const to = sums + (n * rows.input + y) * columns.input * pixel + channel * WORD;
        copy(from, PANEL_ROW, to, pixel, columns.input, count);
      }
    }
  }
  return result;
}

type Views = [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
type Places = [number, number, number, number, number];
