import {describe, expect, it} from 'vitest';
import {batchPainting, columnsFor} from '../../../../../examples/mnist/web/page/batchPainting';
import type {BatchPicture} from '../../../../../examples/mnist/web/protocol';

const COLORS = {page: '#ffffff', ink: '#000000', run: '#ff0000'};
/** Digits of 2 × 2 pixels, in a cell of 6: one pixel of gap, one of frame. */
const picture = (greys: number[], kept: number[]): BatchPicture => ({
  count: greys.length,
  side: 2,
  pixels: Uint8Array.from(greys.flatMap((grey) => Array(4).fill(grey))),
  kept: Uint8Array.from(kept),
});

function pixelAt(painting: ReturnType<typeof batchPainting>, x: number, y: number): number[] {
  const at = 4 * (y * painting.width + x);
  return [...painting.pixels.subarray(at, at + 4)];
}

describe('columnsFor', () => {
  it.each([
    [128, 16],
    [512, 32],
    [8, 4],
    [1, 2],
    [64, 13],
    [1024, 41],
  ])('of %i digits makes %i columns, about twice as many as rows, with few empty cells', (count, columns) => {
    expect(columnsFor(count)).toBe(columns);
  });
});

describe('batchPainting', () => {
  it('puts a cell for each digit in a grid', () => {
    const {width, height, pixels} = batchPainting(picture(Array(8).fill(0), Array(8).fill(0)), COLORS);
    expect([width, height]).toEqual([4 * 6, 2 * 6]);
    expect(pixels).toHaveLength(4 * width * height);
  });

  it('frames what is kept in the colour of the run and in full ink, and dims the rest', () => {
    const painting = batchPainting(picture([255, 255], [1, 0]), COLORS);
    expect(painting.width).toBe(12);
    expect(pixelAt(painting, 1, 1)).toEqual([255, 0, 0, 255]);
    expect(pixelAt(painting, 2, 2)).toEqual([0, 0, 0, 255]);
    // No frame, and three tenths of the ink.
    expect(pixelAt(painting, 7, 1)).toEqual([0, 0, 0, 0]);
    expect(pixelAt(painting, 8, 2)).toEqual([179, 179, 179, 255]);
  });

  it('tints the background of what is kept', () => {
    const painting = batchPainting(picture([0, 0], [1, 0]), COLORS);
    expect(pixelAt(painting, 2, 2)).toEqual([255, 214, 214, 255]);
    expect(pixelAt(painting, 8, 2)).toEqual([255, 255, 255, 255]);
  });
});
