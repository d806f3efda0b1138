import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {digitsFromFolder} from '../../../../examples/mnist/data/folder';
import {idxLabels, sha256Of, TINY_BYTES, TINY_DIGITS, TINY_FILES, tinyGzip} from './idxFixtures';

describe('digitsFromFolder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ohem-folder-'));
    for (const [name, bytes] of Object.entries(TINY_BYTES)) await writeFile(join(folder, name), bytes);
  });
  afterEach(() => rm(folder, {recursive: true}));

  const digits = (anyDigits = false) => digitsFromFolder(folder, TINY_FILES, anyDigits);

  it('reads the four files', async () => {
    const {train, test, source, description} = await digits();
    expect(train).toMatchObject({count: 3, labels: Buffer.from(TINY_DIGITS.train.labels)});
    expect(test).toMatchObject({count: 2, labels: Buffer.from(TINY_DIGITS.test.labels)});
    expect(Uint8Array.from(train.images)).toEqual(TINY_DIGITS.train.images);
    expect(Uint8Array.from(test.images)).toEqual(TINY_DIGITS.test.images);
    expect(source).toBe('folder');
    expect(description).toBe(`MNIST from ${folder}`);
  });

  it('reads them gzipped and in the other spelling', async () => {
    const name = TINY_FILES.trainImages.name;
    await rm(join(folder, name));
    await writeFile(join(folder, 'train-images.idx3-ubyte.gz'), tinyGzip(name) as Uint8Array);
    expect((await digits()).train.count).toBe(3);
  });

  it('names a folder that is none', async () => {
    const nowhere = join(folder, 'nowhere');
    for (const path of [nowhere, join(folder, TINY_FILES.testLabels.name)]) {
      await expect(digitsFromFolder(path, TINY_FILES, false)).rejects.toThrow(
        new Error(
          `loadDigits: folder must be a folder that can be read, got '${path}'. ` +
            'Give the one with the four IDX files, or none to use MNIST from the cache or a download.',
        ),
      );
    }
  });

  it('names a file that is missing, and what it may be called', async () => {
    await rm(join(folder, TINY_FILES.testLabels.name));
    await expect(digits()).rejects.toThrow(
      new Error(
        `loadDigits: folder must hold t10k-labels-idx1-ubyte.gz, got '${folder}' without it. Put it there ` +
          '(t10k-labels-idx1-ubyte, t10k-labels.idx1-ubyte.gz, t10k-labels.idx1-ubyte will do too), ' +
          'or give no folder to use the cache or a download.',
      ),
    );
  });

  it('names a file whose checksum is another, and what to do', async () => {
    const path = join(folder, TINY_FILES.trainLabels.name);
    await writeFile(path, idxLabels([5, 0, 3]));
    await expect(digits()).rejects.toThrow(
      new Error(
        `loadDigits: ${path} must have the SHA-256 ${TINY_FILES.trainLabels.sha256} when decompressed, ` +
          `got ${sha256Of(idxLabels([5, 0, 3]))}. ` +
          'Get the file again, or pass anyDigits: true (--any-digits) if it is of another data set in this format.',
      ),
    );
  });

  it('takes other digits when told to, and says that they are', async () => {
    await writeFile(join(folder, TINY_FILES.trainLabels.name), idxLabels([5, 0, 3]));
    const {train, description} = await digits(true);
    expect(Array.from(train.labels)).toEqual([5, 0, 3]);
    expect(description).toBe(
      `IDX files from ${folder}, NOT the original MNIST: the checksum differs for train-labels-idx1-ubyte`,
    );
  });

  it('still says MNIST of MNIST when any digits would do', async () => {
    expect((await digits(true)).description).toBe(`MNIST from ${folder}`);
  });

  it('names a damaged file also when any digits would do', async () => {
    const path = join(folder, TINY_FILES.trainLabels.name);
    await writeFile(path, idxLabels([5, 0], 3));
    await expect(digits(true)).rejects.toThrow(
      new RangeError(
        `parseIdxLabels: ${path} must be 11 bytes long, as its header says (8 + 3 * 1), got 10. ` +
          'The file is cut short: get it again.',
      ),
    );
  });

  it('names a gzip file that is cut short', async () => {
    const path = join(folder, `${TINY_FILES.testImages.name}.gz`);
    await writeFile(path, (tinyGzip(TINY_FILES.testImages.name) as Uint8Array).subarray(0, 20));
    await expect(digits()).rejects.toThrow(
      new Error(
        `decompressed: ${path} must be a whole gzip file, got a damaged one (unexpected end of file). Get the file again.`,
      ),
    );
  });
});
