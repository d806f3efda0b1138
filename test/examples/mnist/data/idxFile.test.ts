import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {readIdxFile} from '../../../../examples/mnist/data/idxFile';
import {idxFileNames} from '../../../../examples/mnist/data/idxFileNames';
import {LARGEST_IDX_FILE} from '../../../../examples/mnist/data/idxLimit';
import {idxImages} from './idxFixtures';

const FILE = {name: 'train-images-idx3-ubyte', sha256: '', size: 16 + 2 * 784};
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

  it('unpacks no more than the file that is due has', async () => {
    const path = join(folder, 'train-images-idx3-ubyte.gz');
    await writeFile(path, gzipSync(idxImages(new Uint8Array(3 * 784))));
    await expect(readIdxFile(folder, FILE)).rejects.toThrow(
      new RangeError(
        `idxLimit: ${path} must have at most 1584 bytes when decompressed, got a header that announces 2368. ` +
          'Get the file again, or pass --any-digits if it is of a larger data set in this format.',
      ),
    );
    expect((await readIdxFile(folder, FILE, LARGEST_IDX_FILE))?.bytes).toHaveLength(2368);
  });

  it('reads no file that is larger than any of its kind', async () => {
    await writeFile(join(folder, 'train-images-idx3-ubyte'), new Uint8Array(100_000));
    await expect(readIdxFile(folder, FILE)).rejects.toThrow(/must be a file of at most \d+ bytes, got 100000\./);
  });

  it('names a folder in the place of a file', async () => {
    const path = join(folder, 'train-images-idx3-ubyte.gz');
    await mkdir(path);
    await expect(readIdxFile(folder, FILE)).rejects.toThrow(
      new RangeError(`readWholeFile: ${path} must be a regular file, got a folder. Get the file again.`),
    );
  });
});
