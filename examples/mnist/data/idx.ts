import {CLASSES, type Digits, IMAGE_SIDE, IMAGE_SIZE} from './digits';

// An IDX file is: a magic number (two zeros, the type of a value, the number of axes), the length
// of every axis as a big-endian uint32, the values. See "THE IDX FILE FORMAT",
// yann.lecun.com/exdb/mnist.
const IMAGES_MAGIC = 0x00000803;
const LABELS_MAGIC = 0x00000801;
const IMAGES_HEADER = 16;
const LABELS_HEADER = 8;

/**
 * Reads an IDX file of 28 × 28 grey images.
 *
 * @param bytes  the decompressed file.
 * @param name  what errors call it.
 * @returns the count, and the pixels as a view of `bytes`: nothing is copied.
 * @throws TypeError if it is another kind of file or its images have another size; RangeError if it
 *   is too short or too long.
 */
export function parseIdxImages(bytes: Uint8Array, name: string): {count: number; images: Uint8Array} {
  const header = checkHeader('parseIdxImages', bytes, name, IMAGES_MAGIC, IMAGES_HEADER);
  const count = header.getUint32(4);
  const rows = header.getUint32(8);
  const columns = header.getUint32(12);
  if (rows !== IMAGE_SIDE || columns !== IMAGE_SIDE) {
    throw new TypeError(
      `parseIdxImages: ${name} must hold images of ${IMAGE_SIDE} x ${IMAGE_SIDE} pixels, got ${rows} x ${columns}. ` +
        'Scale them to that size first.',
    );
  }
  checkLength('parseIdxImages', bytes, name, IMAGES_HEADER, count, IMAGE_SIZE);
  return {count, images: bytes.subarray(IMAGES_HEADER)};
}

/**
 * Reads an IDX file of labels from 0 to 9.
 *
 * @param bytes  the decompressed file.
 * @param name  what errors call it.
 * @returns the labels as a view of `bytes`: nothing is copied.
 * @throws TypeError if it is another kind of file; RangeError if it is too short or too long, or a
 *   label is over 9.
 */
export function parseIdxLabels(bytes: Uint8Array, name: string): Uint8Array {
  const header = checkHeader('parseIdxLabels', bytes, name, LABELS_MAGIC, LABELS_HEADER);
  checkLength('parseIdxLabels', bytes, name, LABELS_HEADER, header.getUint32(4), 1);
  const labels = bytes.subarray(LABELS_HEADER);
  const wrong = labels.findIndex((label) => label >= CLASSES);
  if (wrong >= 0) {
    throw new RangeError(
      `parseIdxLabels: ${name} must hold labels from 0 to ${CLASSES - 1}, got ${labels[wrong]} at index ${wrong}. ` +
        'Take a data set of ten classes, or get the file again if it should be one.',
    );
  }
  return labels;
}

/**
 * Reads the two IDX files that make a set of digits: the images and their labels, in the same
 * order.
 *
 * @param names  what errors call the two files.
 * @throws what `parseIdxImages` and `parseIdxLabels` throw; RangeError if the counts differ or are
 *   0.
 */
export function parseDigits(
  imagesBytes: Uint8Array,
  labelsBytes: Uint8Array,
  names: {images: string; labels: string},
): Digits {
  const {count, images} = parseIdxImages(imagesBytes, names.images);
  const labels = parseIdxLabels(labelsBytes, names.labels);
  if (labels.length !== count) {
    throw new RangeError(
      `parseDigits: ${names.labels} must hold a label for each of the ${count} images of ${names.images}, ` +
        `got ${labels.length}. Take both files from the same set.`,
    );
  }
  if (count === 0) {
    throw new RangeError(`parseDigits: ${names.images} must hold at least one image, got 0. Get the file again.`);
  }
  return {count, images, labels};
}

/**
 * Computes the size of an IDX file of images or labels from its header.
 *
 * @param beginning  at least 16 bytes of the decompressed file.
 * @param name  what errors call it.
 * @throws TypeError if it is another kind of file.
 */
export function idxLength(beginning: Uint8Array, name: string): number {
  const header = new DataView(beginning.buffer, beginning.byteOffset, beginning.byteLength);
  const magic = header.getUint32(0);
  const count = header.getUint32(4);
  if (magic === LABELS_MAGIC) return LABELS_HEADER + count;
  if (magic === IMAGES_MAGIC) return IMAGES_HEADER + count * header.getUint32(8) * header.getUint32(12);
  throw new TypeError(
    `idxLength: ${name} must start with the magic number ${hex(IMAGES_MAGIC)} or ${hex(LABELS_MAGIC)}, ` +
      `got ${hex(magic)}. ${whatItIs(magic)}`,
  );
}

function checkHeader(where: string, bytes: Uint8Array, name: string, magic: number, length: number): DataView {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 4 && header.getUint32(0) !== magic) {
    throw new TypeError(
      `${where}: ${name} must start with the magic number ${hex(magic)}, got ${hex(header.getUint32(0))}. ` +
        whatItIs(header.getUint32(0)),
    );
  }
  if (bytes.length < length) {
    throw new RangeError(
      `${where}: ${name} must have a header of ${length} bytes, got ${bytes.length}. ` +
        'The file is cut short: get it again.',
    );
  }
  return header;
}

function whatItIs(magic: number): string {
  if (magic >>> 16 === 0x1f8b) return 'It is gzipped: decompress it first.';
  if (magic === IMAGES_MAGIC) return 'It holds images, where labels are due: are the two files swapped?';
  if (magic === LABELS_MAGIC) return 'It holds labels, where images are due: are the two files swapped?';
  return 'It is not an IDX file of this kind: get the file again.';
}

function checkLength(where: string, bytes: Uint8Array, name: string, header: number, count: number, each: number) {
  const expected = header + count * each;
  if (bytes.length === expected) return;
  throw new RangeError(
    `${where}: ${name} must be ${expected} bytes long, as its header says (${header} + ${count} * ${each}), ` +
      `got ${bytes.length}. The file is ${bytes.length < expected ? 'cut short' : 'too long'}: get it again.`,
  );
}

const hex = (magic: number) => `0x${magic.toString(16).padStart(8, '0')}`;
