import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {IMAGE_SIZE} from '../../../../examples/mnist/data/digits';
import {parseDigits, parseIdxImages, parseIdxLabels} from '../../../../examples/mnist/data/idx';
import {idxImages, idxLabels} from './idxFixtures';

const names = {images: 'images', labels: 'labels'};
const blank = (count: number) => new Uint8Array(count * IMAGE_SIZE);

describe('parseIdxImages', () => {
  it('gives back the pixels that were written', () => {
    fc.assert(
      fc.property(fc.uint8Array({minLength: 784, maxLength: 784}), fc.integer({min: 0, max: 3}), (image, count) => {
        const pixels = Uint8Array.from({length: count * IMAGE_SIZE}, (_, i) => image[i % IMAGE_SIZE] as number);
        expect(parseIdxImages(idxImages(pixels), 'f')).toEqual({count, images: pixels});
      }),
      {numRuns: 20},
    );
  });

  it('reads a view that does not begin where its buffer does', () => {
    const file = idxImages(blank(1).fill(9));
    const padded = new Uint8Array(file.length + 5);
    padded.set(file, 3);
    expect(parseIdxImages(padded.subarray(3, -2), 'f')).toEqual({count: 1, images: blank(1).fill(9)});
  });

  it.each([
    [
      'a gzipped file',
      Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0),
      new TypeError(
        'parseIdxImages: train-images must start with the magic number 0x00000803, got 0x1f8b0800. ' +
          'It is gzipped: decompress it first.',
      ),
    ],
    [
      'labels',
      idxLabels([1, 2]),
      new TypeError(
        'parseIdxImages: train-images must start with the magic number 0x00000803, got 0x00000801. ' +
          'It holds labels, where images are due: are the two files swapped?',
      ),
    ],
    [
      'any other file',
      new TextEncoder().encode('<!doctype html>'),
      new TypeError(
        'parseIdxImages: train-images must start with the magic number 0x00000803, got 0x3c21646f. ' +
          'It is not an IDX file of this kind: get the file again.',
      ),
    ],
    [
      'an empty file',
      new Uint8Array(),
      new RangeError(
        'parseIdxImages: train-images must have a header of 16 bytes, got 0. The file is cut short: get it again.',
      ),
    ],
    [
      'half a header',
      idxImages(blank(0)).subarray(0, 15),
      new RangeError(
        'parseIdxImages: train-images must have a header of 16 bytes, got 15. The file is cut short: get it again.',
      ),
    ],
    [
      'images of another size',
      idxImages(new Uint8Array(32 * 30), {count: 1, rows: 32, columns: 30}),
      new TypeError(
        'parseIdxImages: train-images must hold images of 28 x 28 pixels, got 32 x 30. Scale them to that size first.',
      ),
    ],
    [
      'a file that ends early',
      idxImages(blank(2)).subarray(0, -1),
      new RangeError(
        'parseIdxImages: train-images must be 1584 bytes long, as its header says (16 + 2 * 784), got 1583. ' +
          'The file is cut short: get it again.',
      ),
    ],
    [
      'a file that is too long',
      idxImages(blank(2), {count: 1}),
      new RangeError(
        'parseIdxImages: train-images must be 800 bytes long, as its header says (16 + 1 * 784), got 1584. ' +
          'The file is too long: get it again.',
      ),
    ],
    [
      'a count beyond all memory',
      idxImages(blank(1), {count: 2 ** 32 - 1}),
      new RangeError(
        'parseIdxImages: train-images must be 3367254359296 bytes long, as its header says (16 + 4294967295 * 784), ' +
          'got 800. The file is cut short: get it again.',
      ),
    ],
  ])('rejects %s', (_, bytes, error) => {
    expect(() => parseIdxImages(bytes, 'train-images')).toThrow(error);
  });
});

describe('parseIdxLabels', () => {
  it('gives back the labels that were written', () => {
    fc.assert(
      fc.property(fc.uint8Array({max: 9, maxLength: 300}), (labels) => {
        expect(parseIdxLabels(idxLabels(labels), 'f')).toEqual(labels);
      }),
    );
  });

  it('rejects a file cut anywhere, and never reads past its end', () => {
    const file = idxLabels([1, 2, 3]);
    for (let length = 0; length < file.length; length++) {
      expect(() => parseIdxLabels(file.subarray(0, length), 'f')).toThrow(/^parseIdxLabels: f must .* get it again\.$/);
    }
  });

  it.each([
    [
      'a gzipped file',
      Uint8Array.of(0x1f, 0x8b, 8, 8),
      new TypeError(
        'parseIdxLabels: t10k-labels must start with the magic number 0x00000801, got 0x1f8b0808. ' +
          'It is gzipped: decompress it first.',
      ),
    ],
    [
      'images',
      idxImages(blank(1)),
      new TypeError(
        'parseIdxLabels: t10k-labels must start with the magic number 0x00000801, got 0x00000803. ' +
          'It holds images, where labels are due: are the two files swapped?',
      ),
    ],
    [
      'half a header',
      idxLabels([]).subarray(0, 5),
      new RangeError(
        'parseIdxLabels: t10k-labels must have a header of 8 bytes, got 5. The file is cut short: get it again.',
      ),
    ],
    [
      'a file that ends early',
      idxLabels([1, 2], 10_000),
      new RangeError(
        'parseIdxLabels: t10k-labels must be 10008 bytes long, as its header says (8 + 10000 * 1), got 10. ' +
          'The file is cut short: get it again.',
      ),
    ],
    [
      'a file that is too long',
      idxLabels([1, 2, 3], 2),
      new RangeError(
        'parseIdxLabels: t10k-labels must be 10 bytes long, as its header says (8 + 2 * 1), got 11. ' +
          'The file is too long: get it again.',
      ),
    ],
    [
      'a label over 9',
      idxLabels([0, 9, 10, 200]),
      new RangeError(
        'parseIdxLabels: t10k-labels must hold labels from 0 to 9, got 10 at index 2. ' +
          'Take a data set of ten classes, or get the file again if it should be one.',
      ),
    ],
  ])('rejects %s', (_, bytes, error) => {
    expect(() => parseIdxLabels(bytes, 't10k-labels')).toThrow(error);
  });
});

describe('parseDigits', () => {
  it('puts images and labels together', () => {
    expect(parseDigits(idxImages(blank(2)), idxLabels([3, 1]), names)).toEqual({
      count: 2,
      images: blank(2),
      labels: Uint8Array.of(3, 1),
    });
  });

  it('rejects counts that differ', () => {
    expect(() => parseDigits(idxImages(blank(2)), idxLabels([1, 2, 3]), {images: 'a', labels: 'b'})).toThrow(
      new RangeError(
        'parseDigits: b must hold a label for each of the 2 images of a, got 3. Take both files from the same set.',
      ),
    );
  });

  it('rejects files that hold nothing', () => {
    expect(() => parseDigits(idxImages(blank(0)), idxLabels([]), names)).toThrow(
      new RangeError('parseDigits: images must hold at least one image, got 0. Get the file again.'),
    );
  });

  it('calls each file by its name', () => {
    expect(() => parseDigits(idxLabels([1]), idxImages(blank(1)), {images: 'a', labels: 'b'})).toThrow(/: a must/);
    expect(() => parseDigits(idxImages(blank(1)), idxImages(blank(1)), {images: 'a', labels: 'b'})).toThrow(/: b must/);
  });
});
