import {PANEL} from './kinds';
import {addPanel, copy, PANEL_ROW, pack, WORD} from './panels';

/**
 * The gradient of a convolution with respect to its filter, pixel by pixel. For each line r of the
 * filter, the line of a window is one row of numbers (s, i), in each image n:
 *
 *     dW[r, (s, i), o] = Σ_{y, x} Σ_n windows[y, x, r][n, (s, i)] · dY[y, x][n, o]
 */
@unmanaged
export class FilterGradient {
  /** The images with zeros around them, the bytes of one, and the bytes from line to line. */
  images: usize;
  image: usize;
  line: usize;
  /** The bytes from window to window, downwards and to the right. */
  windowDown: usize;
  windowRight: usize;
  dy: usize;
  result: usize;
  batchSize: i32;
  outRows: i32;
  outColumns: i32;
  outChannels: i32;
  /** Lines of the filter, and numbers in each: columns × channels. */
  kernelRows: i32;
  kernelNumbers: i32;
  /** Lines of the filter in a tile, of one panel of channels. */
  tileRows: i32;
}

/**
 * Computes one tile. Missing channels are computed too, and left out. The sums are in scratch:
 * those of two threads would be in the same line of the cache.
 *
 *     scratch:  a pixel of dY, in all images | the sums
 */
export function computeFilterGradient(given: FilterGradient, tile: i32, scratch: usize): void {
  const down = (given.kernelRows + given.tileRows - 1) / given.tileRows;
  const channel = (tile / down) * PANEL;
  const firstRow = (tile % down) * given.tileRows;
  const rows = min(given.tileRows, given.kernelRows - firstRow);
  const batchSize = given.batchSize;
  const numbers = given.kernelNumbers;
  const image = given.image;
  const line = given.line;
  const pixel = <usize>given.outChannels * WORD;
  const pixels = given.outRows * given.outColumns;
  const count = min(PANEL, given.outChannels - channel);
  const sums = scratch + <usize>batchSize * PANEL_ROW;
  memory.fill(scratch, 0, sums - scratch + <usize>(rows * numbers) * PANEL_ROW);
  let gradient = given.dy + <usize>channel * WORD;
  for (let y = 0; y < given.outRows; y++) {
    let window = given.images + <usize>y * given.windowDown + <usize>firstRow * line;
    for (let x = 0; x < given.outColumns; x++) {
      pack(gradient, <usize>pixels * pixel, WORD, scratch, batchSize, count);
      for (let r = 0; r < rows; r++) {
        const to = sums + <usize>(r * numbers) * PANEL_ROW;
        addPanel(window + <usize>r * line, WORD, image, scratch, to, PANEL_ROW, numbers, batchSize);
      }
      gradient += pixel;
      window += given.windowRight;
    }
  }
  const to = given.result + <usize>(firstRow * numbers) * pixel + <usize>channel * WORD;
  copy(sums, PANEL_ROW, to, pixel, rows * numbers, count);
}

/**
 * The gradient of a convolution without strides with respect to its input, line by line, as a sum
 * over all positions (r, s) of the filter:
 *
 *     dX[n, y + r][x + s, i] = Σ_{r, s} dY[n, y][x, o] · W[r, s]ᵀ[o, i]
 */
@unmanaged
export class InputGradient {
  dy: usize;
  filter: usize;
  result: usize;
  batchSize: i32;
  inRows: i32;
  inColumns: i32;
  inChannels: i32;
  outRows: i32;
  outColumns: i32;
  outChannels: i32;
  kernelRows: i32;
  kernelColumns: i32;
  /** Size of an image with zeros around it, and the zeros before its first pixel. */
  paddedRows: i32;
  paddedColumns: i32;
  zeroRows: i32;
  zeroColumns: i32;
  /** The first pixel read. It is not 0 if the first window starts after the first pixel. */
  firstRow: i32;
  firstColumn: i32;
  /** Images of a tile. */
  tileImages: i32;
}

/**
 * Computes one tile.
 *
 *     scratch:  a panel of the filter, by position | a panel of channels of a padded image
 */
export function computeInputGradient(given: InputGradient, tile: i32, scratch: usize): void {
  const first = tile * given.tileImages;
  const end = min(first + given.tileImages, given.batchSize);
  const positions = given.kernelRows * given.kernelColumns;
  const pixel = <usize>given.inChannels * WORD;
  const outPixel = <usize>given.outChannels * WORD;
  const panelSize = <usize>given.outChannels * PANEL_ROW;
  const outLine = <usize>given.outColumns * outPixel;
  const padded = scratch + <usize>positions * panelSize;
  const paddedLine = <usize>given.paddedColumns * PANEL_ROW;
  const corner = <usize>given.zeroRows * paddedLine + <usize>given.zeroColumns * PANEL_ROW;
  for (let channel = 0; channel < given.inChannels; channel += PANEL) {
    const count = min(PANEL, given.inChannels - channel);
    // Channels past the last are computed too, and left out.
    if (count < PANEL) memory.fill(scratch, 0, padded - scratch);
    for (let position = 0; position < positions; position++) {
      const from = given.filter + <usize>(position * given.inChannels + channel) * outPixel;
      pack(from, WORD, outPixel, scratch + <usize>position * panelSize, given.outChannels, count);
    }
    for (let n = first; n < end; n++) {
      memory.fill(padded, 0, <usize>given.paddedRows * paddedLine);
      for (let position = positions - 1; position >= 0; position--) {
        const r = given.firstRow + position / given.kernelColumns;
        const s = given.firstColumn + (position % given.kernelColumns);
        const panel = scratch + <usize>position * panelSize;
        let from = given.dy + <usize>(n * given.outRows) * outLine;
        let to = padded + <usize>r * paddedLine + <usize>s * PANEL_ROW;
        for (let y = 0; y < given.outRows; y++) {
          addPanel(from, outPixel, WORD, panel, to, PANEL_ROW, given.outColumns, given.outChannels);
          from += outLine;
          to += paddedLine;
        }
      }
      const to = given.result + <usize>(n * given.inRows * given.inColumns) * pixel + <usize>channel * WORD;
      for (let y = 0; y < given.inRows; y++) {
        const line = <usize>(y * given.inColumns) * pixel;
        copy(padded + corner + <usize>y * paddedLine, PANEL_ROW, to + line, pixel, given.inColumns, count);
      }
    }
  }
}
