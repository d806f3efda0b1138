import {expect, it} from 'vitest';
import {IMAGE_SIZE} from '../../../../examples/mnist/data/digits';
import {drawDigits} from '../../../../examples/mnist/data/drawnDigits';
import {inkBox, scaledDigit} from '../../../../studies/kit/scenes/scaledDigit';

/** A set of one image with these greys, and 0 elsewhere. */
const imageWith = (greys: [y: number, x: number, grey: number][]) => {
  const images = new Uint8Array(IMAGE_SIZE);
  for (const [y, x, grey] of greys) images[y * 28 + x] = grey;
  return {count: 1, images, labels: Uint8Array.from([0])};
};

it('scaledDigit leaves a digit of its own size as it is', () => {
  const digits = drawDigits({count: 3, seed: 1});
  expect(scaledDigit(digits, 2, 28).pixels).toEqual(digits.images.subarray(2 * IMAGE_SIZE, 3 * IMAGE_SIZE));
});

it('scaledDigit takes the mean of two by two pixels at half of the size', () => {
  const {pixels} = scaledDigit(
    imageWith([
      [4, 6, 200],
      [4, 7, 100],
      [5, 6, 40],
    ]),
    0,
    14,
  );
  expect(pixels[2 * 14 + 3]).toBe(85);
  expect(pixels.filter((grey) => grey > 0)).toHaveLength(1);
});

it('scaledDigit blends neighbours at twice the size', () => {
  const {pixels} = scaledDigit(imageWith([[4, 6, 160]]), 0, 56);
  // A quarter of a pixel beside the centre in both directions, or three quarters.
  expect([pixels[8 * 56 + 12], pixels[8 * 56 + 11], pixels[7 * 56 + 11], pixels[7 * 56 + 10]]).toEqual([90, 30, 10, 0]);
});

it('inkBox is the smallest box around bright pixels, or none', () => {
  const digits = imageWith([
    [4, 6, 128],
    [9, 20, 255],
    [20, 2, 127],
  ]);
  expect(inkBox(scaledDigit(digits, 0, 28))).toEqual([4, 6, 10, 21]);
  expect(inkBox(scaledDigit(imageWith([[3, 3, 127]]), 0, 28))).toBeUndefined();
});
