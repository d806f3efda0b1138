import {describe, expect, it} from 'vitest';
import {drawDigits} from '../../../../../examples/mnist/data/drawnDigits';
import {batchPicture} from '../../../../../examples/mnist/web/worker/batchPicture';

const digits = drawDigits({count: 40, seed: 3});
const batch = (count: number) => ({
  rows: Uint32Array.from({length: count}, (_, place) => (7 * place) % 40),
  kept: Uint8Array.from({length: count}, (_, place) => place % 3),
});

describe('batchPicture', () => {
  it('has the digits of the batch, in its order, with all their pixels', () => {
    const {rows, kept} = batch(8);
    const picture = batchPicture({rows, kept}, digits);
    expect([picture.count, picture.side]).toEqual([8, 28]);
    expect(picture.kept).toEqual(kept);
    rows.forEach((row, place) => {
      const image = digits.images.slice(784 * row, 784 * (row + 1));
      expect(picture.pixels.slice(784 * place, 784 * (place + 1))).toEqual(image);
    });
  });

  it('halves the digits of a large batch, and keeps their ink', () => {
    const {rows, kept} = batch(300);
    const {side, count, pixels} = batchPicture({rows, kept}, digits);
    expect([count, side]).toEqual([300, 14]);
    const mean = (greys: Uint8Array) => greys.reduce((sum, grey) => sum + grey, 0) / greys.length;
    rows.slice(0, 10).forEach((row, place) => {
      const image = digits.images.slice(784 * row, 784 * (row + 1));
      const little = pixels.slice(196 * place, 196 * (place + 1));
      expect(Math.abs(mean(little) - mean(image))).toBeLessThan(0.5);
      // The mean of the four pixels of the middle.
      const four = [13 * 28 + 14, 13 * 28 + 15, 12 * 28 + 14, 12 * 28 + 15].map((at) => image[at] as number);
      expect(little[6 * 14 + 7]).toBe(Math.round(four.reduce((sum, grey) => sum + grey) / 4));
    });
  });

  it('has the first 1024 digits of one that is larger', () => {
    const picture = batchPicture(batch(2000), digits);
    expect([picture.count, picture.kept.length, picture.pixels.length]).toEqual([1024, 1024, 1024 * 196]);
  });
});
