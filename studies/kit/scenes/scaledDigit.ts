import {type Digits, IMAGE_SIDE, IMAGE_SIZE} from '../../../examples/mnist/data/digits';
import type {Box} from './box';

/** Grey from which on a pixel of a digit is ink. */
const INK = 128;

/** A square of grey pixels, 0 = background. */
export interface Patch {
  side: number;
  /** `side · side` bytes, row by row. */
  pixels: Uint8Array;
}

/** Scales a digit to `side` pixels, by bilinear interpolation between pixel centres. */
export function scaledDigit({images}: Digits, row: number, side: number): Patch {
  const pixels = new Uint8Array(side * side);
  const greyAt = (y: number, x: number) => {
    const isInside = y >= 0 && x >= 0 && y < IMAGE_SIDE && x < IMAGE_SIDE;
    return isInside ? (images[row * IMAGE_SIZE + y * IMAGE_SIDE + x] as number) : 0;
  };
  const placeOf = (pixel: number) => ((pixel + 0.5) * IMAGE_SIDE) / side - 0.5;
  for (let y = 0; y < side; y++) {
    const top = Math.floor(placeOf(y));
    const down = placeOf(y) - top;
    for (let x = 0; x < side; x++) {
      const left = Math.floor(placeOf(x));
      const right = placeOf(x) - left;
      const upper = (1 - right) * greyAt(top, left) + right * greyAt(top, left + 1);
      const lower = (1 - right) * greyAt(top + 1, left) + right * greyAt(top + 1, left + 1);
      pixels[y * side + x] = Math.round((1 - down) * upper + down * lower);
    }
  }
  return {side, pixels};
}

export const isInk = (grey: number): boolean => grey >= INK;

/** The smallest box around the ink of a patch; undefined if it has none. */
export function inkBox({side, pixels}: Patch): Box | undefined {
  let [top, left, bottom, right] = [side, side, 0, 0];
  for (const [place, grey] of pixels.entries()) {
    if (!isInk(grey)) continue;
    const [y, x] = [Math.floor(place / side), place % side];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
    [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
  }
  return bottom > 0 ? [top, left, bottom, right] : undefined;
}
