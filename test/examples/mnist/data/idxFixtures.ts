import {createHash} from 'node:crypto';
import {gzipSync} from 'node:zlib';
import {IMAGE_SIZE} from '../../../../examples/mnist/data/digits';
import type {IdxFiles} from '../../../../examples/mnist/data/mnistFiles';

const uint32 = (value: number) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];

/** An IDX file of images; the header is as given, whatever the pixels are. */
export function idxImages(pixels: Uint8Array, {count = pixels.length / IMAGE_SIZE, rows = 28, columns = 28} = {}) {
  return Uint8Array.of(0, 0, 8, 3, ...uint32(count), ...uint32(rows), ...uint32(columns), ...pixels);
}

/** An IDX file of labels; the header is as given, however many there are. */
export function idxLabels(labels: ArrayLike<number>, count = labels.length): Uint8Array {
  return Uint8Array.of(0, 0, 8, 1, ...uint32(count), ...Array.from(labels));
}

export const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const blank = (count: number, grey: number) => new Uint8Array(count * IMAGE_SIZE).fill(grey);

/**
 * A data set of three digits to train on and two to test, in place of MNIST, by file name; not
 * gzipped.
 */
export const TINY_BYTES: Readonly<Record<string, Uint8Array>> = {
  'train-images-idx3-ubyte': idxImages(blank(3, 10)),
  'train-labels-idx1-ubyte': idxLabels([5, 0, 4]),
  't10k-images-idx3-ubyte': idxImages(blank(2, 20)),
  't10k-labels-idx1-ubyte': idxLabels([7, 2]),
};

const tinyFile = (name: string) => ({
  name,
  sha256: sha256Of(TINY_BYTES[name] as Uint8Array),
  size: (TINY_BYTES[name] as Uint8Array).length,
});

export const TINY_FILES: IdxFiles = {
  trainImages: tinyFile('train-images-idx3-ubyte'),
  trainLabels: tinyFile('train-labels-idx1-ubyte'),
  testImages: tinyFile('t10k-images-idx3-ubyte'),
  testLabels: tinyFile('t10k-labels-idx1-ubyte'),
};

export const TINY_DIGITS = {
  train: {count: 3, images: blank(3, 10), labels: Uint8Array.of(5, 0, 4)},
  test: {count: 2, images: blank(2, 20), labels: Uint8Array.of(7, 2)},
};

/** The gzipped file that an address or a path names, or undefined. */
export function tinyGzip(url: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = TINY_BYTES[url.replace(/^.*\//, '').replace(/\.gz$/, '')];
  return bytes && new Uint8Array(gzipSync(bytes));
}
