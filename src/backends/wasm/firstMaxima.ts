import {covered, type ImageAxes} from './windowAxis';

/** The distance from a pixel of an image to the next one, and to the one below. */
interface Strides {
  pixel: number;
  line: number;
}

/**
 * Adds the gradient of each window of images to its first maximum, for each channel.
 *
 * Which pixel of a window is largest cannot be predicted, so a processor waits at each branch that
 * depends on it. Here the pixels are compared by arithmetic, on keys: integers in the order of the
 * floats. A window whose maximum is NaN or ∞ is compared once more, without NaN and −∞.
 *
 * @param sums  float32[B, H, W, C], flattened, to add to.
 * @param gradients  float32[B, H', W', C], flattened; left out for a window without a number above
 *   −∞.
 * @param values  float32[B, H, W, C], flattened.
 */
export function addToFirstMaxima(
  sums: Float32Array,
  gradients: Float32Array,
  values: Float32Array,
  {batchSize, channels, axes: [rows, columns]}: {batchSize: number; channels: number; axes: ImageAxes},
): void {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const strides = {pixel: channels, line: columns.input * channels};
  const [ofRows, ofColumns] = [covered(rows), covered(columns)];
  let next = 0;
  for (let image = 0; image < batchSize; image++) {
    for (const {first: row, end: endRow} of ofRows) {
      for (const {first: column, end: endColumn} of ofColumns) {
        const start = ((image * rows.input + row) * columns.input + column) * channels;
        const height = endRow - row;
        const width = endColumn - column;
        const isFour = height === 2 && width === 2;
        for (let at = start; at < start + channels; at++) {
          let place = isFour ? placeOfFour(bits, at, strides) : placeOfMany(bits, at, strides, height, width, false);
          if (place >= 0 && isOdd(bits[place] as number)) place = placeOfMany(bits, at, strides, height, width, true);
          if (place >= 0) sums[place] = (sums[place] as number) + (gradients[next] as number);
          next++;
        }
      }
    }
  }
}

/** Finds the first maximum of two pixels by two, by two pairs and their maxima. */
function placeOfFour(bits: Int32Array, start: number, {pixel, line}: Strides): number {
  const a = keyOf(bits[start] as number);
  const b = keyOf(bits[start + pixel] as number);
  const c = keyOf(bits[start + line] as number);
  const d = keyOf(bits[start + line + pixel] as number);
  const inFirst = below(a, b);
  const inSecond = below(c, d);
  const isSecond = below(chosen(inFirst, b, a), chosen(inSecond, d, c));
  return start + chosen(isSecond, line + (pixel & inSecond), pixel & inFirst);
}

/**
 * Finds the first maximum of a window of any size; −1 if there is none, as in a window of padding.
 *
 * @param skips  whether to leave out NaN and −∞.
 */
function placeOfMany(
  bits: Int32Array,
  start: number,
  {pixel, line}: Strides,
  height: number,
  width: number,
  skips: boolean,
): number {
  let place = -1;
  let largest = LEAST_KEY;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = start + row * line + column * pixel;
      const key = keyOf(bits[at] as number);
      if (skips && (key > INFINITE || key <= -INFINITE)) continue;
      const isLarger = below(largest, key);
      place = chosen(isLarger, at, place);
      largest = chosen(isLarger, key, largest);
    }
  }
  return place;
}

/** Converts the bits of a float32 to an integer in the order of floats; those of −0 to 0. */
const keyOf = (bits: number): number => {
  const sign = bits >> 31;
  return ((bits & 0x7fffffff) ^ sign) - sign;
};

/** −1 if `a < b`, and 0 otherwise, for any int32. */
const below = (a: number, b: number): number => ((a & ~b) | (~(a ^ b) & (a - b))) >> 31;

/** One of two integers, by a mask of −1 or 0. */
const chosen = (mask: number, ifSet: number, otherwise: number): number => otherwise ^ ((otherwise ^ ifSet) & mask);

/** The bits of ∞, and their key. The keys of NaN are further from 0. */
const INFINITE = 0x7f800000;

/** Below the key of any number. */
const LEAST_KEY = -(2 ** 31);

/** Whether bits are those of NaN or ∞. */
const isOdd = (bits: number): boolean => (bits & INFINITE) === INFINITE;
