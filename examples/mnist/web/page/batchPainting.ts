import type {BatchPicture} from '../protocol';

/** Colours of a painting as `#rrggbb`. */
export interface BatchColors {
  page: string;
  ink: string;
  /** Of the run whose batch it is. */
  run: string;
}

/** Pixels as a canvas takes them, four bytes each. */
export interface Painting {
  width: number;
  height: number;
  pixels: Uint8ClampedArray<ArrayBuffer>;
}

/** Ink of a digit that was left out, against one that was backpropagated. */
const DIM = 0.3;
/** Colour of the run behind the digits that were backpropagated. */
const TINT = 0.16;
/** Empty pixels around each digit. */
const GAP = 1;

/** Columns of a grid that is about twice as wide as high, with few empty cells. */
export function columnsFor(count: number): number {
  const ideal = Math.sqrt(2 * count);
  const [least, most] = [Math.ceil(0.8 * ideal), Math.floor(1.2 * ideal)];
  const empty = (columns: number) => columns * Math.ceil(count / columns) - count;
  return Array.from({length: Math.max(0, most - least + 1)}, (_, index) => least + index).reduce(
    (best, columns) => (empty(columns) < empty(best) ? columns : best),
    Math.max(1, Math.ceil(ideal)),
  );
}

/**
 * Paints the digits of a batch in a grid: those that were backpropagated in full ink with a frame
 * in the colour of the run, the others dimmed.
 */
export function batchPainting({count, side, pixels: grey, kept}: BatchPicture, colors: BatchColors): Painting {
  const frame = side > 14 ? 2 : 1;
  const cell = side + 2 * (frame + GAP);
  const columns = columnsFor(count);
  const width = columns * cell;
  const height = Math.max(1, Math.ceil(count / columns)) * cell;
  const words = new Uint32Array(width * height);
  const lit = {scale: scaleOf(mixed(colors.page, colors.run, TINT), colors.ink, 1), frame: wordOf(rgb(colors.run))};
  const dim = {scale: scaleOf(rgb(colors.page), colors.ink, DIM), frame: 0};
  for (let place = 0; place < count; place++) {
    const {scale, frame: border} = kept[place] ? lit : dim;
    const left = (place % columns) * cell + GAP;
    const top = Math.floor(place / columns) * cell + GAP;
    const inner = side + 2 * frame;
    for (let y = 0; y < inner; y++) words.fill(border, (top + y) * width + left, (top + y) * width + left + inner);
    for (let pixel = 0; pixel < side * side; pixel++) {
      const at = (top + frame + Math.floor(pixel / side)) * width + left + frame + (pixel % side);
      words[at] = scale[grey[place * side * side + pixel] as number] as number;
    }
  }
  return {width, height, pixels: new Uint8ClampedArray(words.buffer)};
}

type Rgb = [number, number, number];

function rgb(color: string): Rgb {
  const word = Number.parseInt(color.slice(1), 16);
  return [word >> 16, (word >> 8) & 255, word & 255];
}

function mixed(from: string | Rgb, to: string | Rgb, share: number): Rgb {
  const [a, b] = [from, to].map((color) => (typeof color === 'string' ? rgb(color) : color)) as [Rgb, Rgb];
  return a.map((value, channel) => Math.round(value + share * ((b[channel] as number) - value))) as Rgb;
}

/** The colour of each grey value, from the background to ink of some strength. */
const scaleOf = (background: Rgb, ink: string, strength: number): Uint32Array =>
  Uint32Array.from({length: 256}, (_, grey) => wordOf(mixed(background, ink, (strength * grey) / 255)));

/** Bytes r, g, b, 255 in a word: machines that run browsers are little-endian. */
const wordOf = ([r, g, b]: Rgb): number => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
