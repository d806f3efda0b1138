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
        addPanel(window + <usize>r * line, WORD, image, scratch, to, PANEL_ROW, numbers, batchSize, false);
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
  /** Length of a line with zeros around it, and the zeros before its first pixel. */
  paddedColumns: i32;
  zeroColumns: i32;
  /** Where the first window starts: the line of the image, and the pixel of a padded line. */
  firstRow: i32;
  firstColumn: i32;
  /** Lines of a band: they fit into a cache. Bands of a tile, through all images. */
  bandRows: i32;
  tileBands: i32;
}

/**
 * Computes one tile. Channels past the last are computed too, and left out.
 *
 *     scratch:  a panel of the filter, by position | a panel of channels of a band of padded lines
 */
export function computeInputGradient(given: InputGradient, tile: i32, scratch: usize): void {
  const bands = (given.inRows + given.bandRows - 1) / given.bandRows;
  const first = tile * given.tileBands;
  const end = min(first + given.tileBands, given.batchSize * bands);
  const positions = given.kernelRows * given.kernelColumns;
  const outPixel = <usize>given.outChannels * WORD;
  const panelSize = <usize>given.outChannels * PANEL_ROW;
  const padded = scratch + <usize>positions * panelSize;
  for (let channel = 0; channel < given.inChannels; channel += PANEL) {
    const count = min(PANEL, given.inChannels - channel);
    if (count < PANEL) memory.fill(scratch, 0, padded - scratch);
    for (let position = 0; position < positions; position++) {
      const from = given.filter + <usize>(position * given.inChannels + channel) * outPixel;
      pack(from, WORD, outPixel, scratch + <usize>position * panelSize, given.outChannels, count);
    }
    for (let band = first; band < end; band++) {
      computeBand(given, band / bands, (band % bands) * given.bandRows, channel, count, scratch, padded);
    }
  }
}

/** Computes a panel of channels of one band, whose first line is `top`. */
function computeBand(
  given: InputGradient,
  image: i32,
  top: i32,
  channel: i32,
  count: i32,
  panels: usize,
  padded: usize,
): void {
  const rows = min(given.bandRows, given.inRows - top);
  const paddedLine = <usize>given.paddedColumns * PANEL_ROW;
  const outPixel = <usize>given.outChannels * WORD;
  const outLine = <usize>given.outColumns * outPixel;
  memory.fill(padded, 0, <usize>rows * paddedLine);
  for (let position = given.kernelRows * given.kernelColumns - 1; position >= 0; position--) {
    // Line y of dY is added to line y + r.
    const r = given.firstRow + position / given.kernelColumns;
    const s = given.firstColumn + (position % given.kernelColumns);
    const panel = panels + <usize>position * <usize>given.outChannels * PANEL_ROW;
    const end = min(given.outRows, top + rows - r);
    for (let y = max(0, top - r); y < end; y++) {
      const from = given.dy + <usize>(image * given.outRows + y) * outLine;
      const to = padded + <usize>(y + r - top) * paddedLine + <usize>s * PANEL_ROW;
      addPanel(from, outPixel, WORD, panel, to, PANEL_ROW, given.outColumns, given.outChannels, false);
    }
  }
  const pixel = <usize>given.inChannels * WORD;
  const start = padded + <usize>given.zeroColumns * PANEL_ROW;
  for (let i = 0; i < rows; i++) {
    const line = <usize>((image * given.inRows + top + i) * given.inColumns) * pixel;
    const to = given.result + line + <usize>channel * WORD;
    copy(start + <usize>i * paddedLine, PANEL_ROW, to, pixel, given.inColumns, count);
  }
}
