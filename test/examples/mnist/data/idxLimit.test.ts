import {describe, expect, it} from 'vitest';
import {idxLimit, LARGEST_IDX_FILE} from '../../../../examples/mnist/data/idxLimit';
import {MNIST_FILES} from '../../../../examples/mnist/data/mnistFiles';
import {idxImages, idxLabels} from './idxFixtures';

const images = (count: number) => idxImages(new Uint8Array(0), {count});
const labels = (count: number) => idxLabels(new Uint8Array(8), count);

describe('idxLimit', () => {
  it('goes by the header', () => {
    expect(idxLimit(images(60_000), LARGEST_IDX_FILE, 'f')).toBe(MNIST_FILES.trainImages.size);
    expect(idxLimit(images(10_000), LARGEST_IDX_FILE, 'f')).toBe(MNIST_FILES.testImages.size);
    expect(idxLimit(labels(60_000), LARGEST_IDX_FILE, 'f')).toBe(MNIST_FILES.trainLabels.size);
    expect(idxLimit(labels(10_000), LARGEST_IDX_FILE, 'f')).toBe(MNIST_FILES.testLabels.size);
  });

  it('believes no header that announces more than the file that is due', () => {
    expect(() => idxLimit(images(60_001), MNIST_FILES.trainImages.size, 'f')).toThrow(
      new RangeError(
        'idxLimit: f must have at most 47040016 bytes when decompressed, got a header that announces 47040800. ' +
          'Get the file again, or pass --any-digits if it is of a larger data set in this format.',
      ),
    );
  });

  it('takes a million digits at most', () => {
    expect(idxLimit(images(1e6), LARGEST_IDX_FILE, 'f')).toBe(784_000_016);
    expect(() => idxLimit(images(1e6 + 1), LARGEST_IDX_FILE, 'f')).toThrow(/ Take a smaller data set\.$/);
  });

  it('refuses what is no IDX file', () => {
    expect(() => idxLimit(new Uint8Array(16), LARGEST_IDX_FILE, 'f')).toThrow(
      new TypeError(
        'idxLength: f must start with the magic number 0x00000803 or 0x00000801, got 0x00000000. ' +
          'It is not an IDX file of this kind: get the file again.',
      ),
    );
  });
});
