import {describe, expect, it} from 'vitest';
import {comparedSets} from '../../../../examples/mnist/data/comparedSets';
import type {IdxFile} from '../../../../examples/mnist/data/mnistFiles';
import {idxLabels, sha256Of, TINY_BYTES, TINY_DIGITS, TINY_FILES} from './idxFixtures';

const read = async ({name}: IdxFile) => ({path: `/mine/${name}`, bytes: TINY_BYTES[name] as Uint8Array});

describe('comparedSets', () => {
  it('says MNIST of files that are MNIST, byte for byte', async () => {
    expect(await comparedSets(TINY_FILES, 'there', read)).toEqual({
      ...TINY_DIGITS,
      others: [],
      description: 'MNIST from there',
    });
  });

  it('names every file that differs, and what it should be', async () => {
    const labels = idxLabels([7, 3]);
    const {test, others, description} = await comparedSets(TINY_FILES, 'there', async (file) =>
      file === TINY_FILES.testLabels ? {path: '/mine/labels', bytes: labels} : read(file),
    );
    expect([...test.labels]).toEqual([7, 3]);
    expect(others).toEqual([
      {name: 't10k-labels-idx1-ubyte', path: '/mine/labels', due: TINY_FILES.testLabels.sha256, got: sha256Of(labels)},
    ]);
    expect(description).toBe(
      'IDX files from there, NOT the original MNIST: the checksum differs for t10k-labels-idx1-ubyte',
    );
  });
});
