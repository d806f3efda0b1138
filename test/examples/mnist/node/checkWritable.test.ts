import {mkdir, mkdtemp, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {checkWritable} from '../../../../examples/mnist/node/checkWritable';
import {FailedError} from '../../../../examples/mnist/node/errors';

describe('checkWritable', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ohem-writable-'));
  });
  afterEach(() => rm(folder, {recursive: true}));

  it('leaves everything as it was', async () => {
    await writeFile(join(folder, 'mine'), 'text');
    await checkWritable(folder);
    await checkWritable(join(folder, 'a', 'b', 'c'));
    expect(await readdir(folder)).toEqual(['mine']);
  });

  it('names a file in the place of the folder', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    for (const path of [file, join(file, 'below')]) {
      const thrown = await checkWritable(path).catch((error: Error) => error);
      expect(thrown).toBeInstanceOf(FailedError);
      expect((thrown as Error).message).toMatch(/^mnist: --out must be a folder that can be written to, got .* \(E/);
    }
  });

  it.each(['checkpoint.json', 'report.html', 'figure-1.png'])('names a folder in the place of %s', async (name) => {
    await mkdir(join(folder, name));
    await expect(checkWritable(folder)).rejects.toThrow(
      new FailedError(
        `mnist: ${join(folder, name)} must be a file that can be replaced, got a folder. Move it elsewhere.`,
      ),
    );
  });
});
