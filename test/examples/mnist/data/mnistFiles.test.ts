import {describe, expect, it} from 'vitest';
import {MNIST_FILES, MNIST_MIRRORS} from '../../../../examples/mnist/data/mnistFiles';

describe('MNIST_FILES', () => {
  it('has a checksum for each file, all different', () => {
    const checksums = Object.values(MNIST_FILES).map(({sha256}) => sha256);
    for (const checksum of checksums) expect(checksum).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(checksums).size).toBe(4);
  });
});

describe('MNIST_MIRRORS', () => {
  it('makes an address with a file name', () => {
    for (const mirror of MNIST_MIRRORS) expect(new URL(`${mirror}x.gz`).href).toMatch(/^https:.*\/mnist\/x\.gz$/);
  });
});
