import {describe, expect, it} from 'vitest';
import {readIdxSets} from '../../../../examples/mnist/data/idxSets';
import type {IdxFile} from '../../../../examples/mnist/data/mnistFiles';
import {TINY_BYTES, TINY_DIGITS, TINY_FILES} from './idxFixtures';

const bytesOf = ({name}: IdxFile) => TINY_BYTES[name] as Uint8Array;

describe('readIdxSets', () => {
  it('makes a set to train on and one to test of the four files', async () => {
    const sets = await readIdxSets(TINY_FILES, async (file) => ({path: file.name, bytes: bytesOf(file)}));
    expect(sets).toEqual(TINY_DIGITS);
  });

  it('reads no further once a file fails', async () => {
    const asked: string[] = [];
    const read = async ({name}: IdxFile) => {
      asked.push(name);
      throw new Error('no such file');
    };
    await expect(readIdxSets(TINY_FILES, read)).rejects.toThrow(new Error('no such file'));
    expect(asked).toEqual(['train-images-idx3-ubyte']);
  });

  it('names the two files whose counts differ', async () => {
    const mixed = {...TINY_FILES, trainLabels: TINY_FILES.testLabels};
    await expect(
      readIdxSets(mixed, async (file) => ({path: `/mine/${file.name}`, bytes: bytesOf(file)})),
    ).rejects.toThrow(
      new RangeError(
        'parseDigits: /mine/t10k-labels-idx1-ubyte must hold a label for each of the 3 images of ' +
          '/mine/train-images-idx3-ubyte, got 2. Take both files from the same set.',
      ),
    );
  });
});
