import {describe, expect, it} from 'vitest';
import {idxFileNames} from '../../../../examples/mnist/data/idxFileNames';

describe('idxFileNames', () => {
  it('lists both spellings, gzipped and not', () => {
    expect(idxFileNames({name: 'train-images-idx3-ubyte', sha256: '', size: 0})).toEqual([
      'train-images-idx3-ubyte.gz',
      'train-images-idx3-ubyte',
      'train-images.idx3-ubyte.gz',
      'train-images.idx3-ubyte',
    ]);
  });
});
