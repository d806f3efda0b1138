import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {readIdxFile} from '../../../../examples/mnist/data/idxFile';
import {idxFileNames} from '../../../../examples/mnist/data/idxFileNames';

const FILE = {name: 'train-images-idx3-ubyte', sha256: ''};
const bytes = Uint8Array.of(0, 0, 8, 3, 7);
const plain = (read: Uint8Array | undefined) => read && Uint8Array.from(read);

describe('readIdxFile', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ohem-idx-'));
  });
  afterEach(() => rm(folder, {recursive: true}));

  it.each(idxFileNames(FILE))('finds %s', async (name) => {
    await writeFile(join(folder, name), name.endsWith('.gz') ? gzipSync(bytes) : bytes);
    const read = await readIdxFile(folder, FILE);
    expect(read?.path).toBe(join(folder, name));
    expect(plain(read?.bytes)).toEqual(bytes);
  });

  it('takes a file that is not gzipped, though its name says so', async () => {
    await writeFile(join(folder, 'train-images-idx3-ubyte.gz'), bytes);
    expect(plain((await readIdxFile(folder, FILE))?.bytes)).toEqual(bytes);
  });

  it('gives undefined where there is none', async () => {
    await writeFile(join(folder, 'train-labels-idx1-ubyte'), bytes);
    expect(await readIdxFile(folder, FILE)).toBeUndefined();
    expect(await readIdxFile(join(folder, 'nowhere'), FILE)).toBeUndefined();
  });

  it('names a file that is cut short', async () => {
    const path = join(folder, 'train-images-idx3-ubyte.gz');
    await writeFile(path, gzipSync(bytes).subarray(0, -9));
    await expect(readIdxFile(folder, FILE)).rejects.toThrow(
      new Error(
        `decompressed: ${path} must be a whole gzip file, got a damaged one (unexpected end of file). Get the file again.`,
      ),
    );
  });

  it('names a file that cannot be read', async () => {
    const path = join(folder, 'train-images-idx3-ubyte.gz');
    await mkdir(path);
    await expect(readIdxFile(folder, FILE)).rejects.toThrow(
      new Error(
        `readIdxFile: ${path} must be a file that can be read, got EISDIR: illegal operation on a directory, read.`,
      ),
    );
  });
});
