import {execFileSync} from 'node:child_process';
import {mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {readWholeFile} from '../../../../examples/mnist/node/wholeFile';

const isWindows = process.platform === 'win32';

describe('readWholeFile', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ohem-file-'));
    path = join(folder, 'file');
  });
  afterEach(() => rm(folder, {recursive: true}));

  const refusal = (got: string) =>
    new RangeError(`readWholeFile: ${path} must be a regular file, got ${got}. Get the file again.`);

  it('reads a file, also behind a link', async () => {
    await writeFile(path, 'digits');
    await symlink(path, join(folder, 'link'));
    for (const name of ['file', 'link']) {
      expect(String(await readWholeFile(join(folder, name), 6))).toBe('digits');
    }
  });

  it('gives undefined where there is none', async () => {
    expect(await readWholeFile(path, 6)).toBeUndefined();
  });

  it('reads no byte of a file that is too large', async () => {
    await writeFile(path, 'digits');
    await expect(readWholeFile(path, 5)).rejects.toThrow(
      new RangeError(`readWholeFile: ${path} must be a file of at most 5 bytes, got 6. Get the file again.`),
    );
  });

  it.skipIf(isWindows)('refuses a FIFO, which may have no writer', async () => {
    execFileSync('mkfifo', [path]);
    await expect(readWholeFile(path, 6)).rejects.toThrow(refusal('a FIFO'));
  });

  it.skipIf(isWindows)('refuses a device, which may never end', async () => {
    await symlink('/dev/zero', path);
    await expect(readWholeFile(path, 6)).rejects.toThrow(refusal('a device'));
  });

  it('refuses a folder', async () => {
    path = folder;
    await expect(readWholeFile(path, 6)).rejects.toThrow(refusal('a folder'));
  });

  it('names what cannot be opened', async () => {
    await writeFile(path, 'digits');
    await expect(readWholeFile(join(path, 'below'), 6)).rejects.toThrow(/must be a file that can be read, got ENOTDIR/);
  });

  it.skipIf(isWindows)('names a socket', async () => {
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once('listening', resolve));
    await expect(readWholeFile(path, 6)).rejects.toThrow(/must be a file that can be read, got ENXIO/);
    server.close();
  });
});
